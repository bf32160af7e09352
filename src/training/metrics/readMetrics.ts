import type { Metric } from './metric.js'

/**
 * The metrics in the text of a `metrics.jsonl`. Lines that are none are left out.
 *
 * @example
 * readMetrics('{"kind":"epoch","step":3,"epoch":1,"loss":0.5,"accuracy":0.9}\n').length // 1
 */
export const readMetrics = (text: string): readonly Metric[] =>
  text.split('\n').flatMap(line => {
    try {
      return line === '' ? [] : [JSON.parse(line) as Metric]
    } catch {
      return []
    }
  })
