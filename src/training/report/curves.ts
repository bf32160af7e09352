import type { Metric, Scores } from '../metrics/metric.js'
import { scripted } from './html.js'

/** A line in a plot; places it has no value at are left out. */
interface Line {
  readonly label: string
  readonly colour: string
  readonly values: readonly (number | null)[]
  /** Whether each value is marked, because there are few. */
  readonly isSparse?: boolean
}

/** A plot of some lines over the same steps. */
interface Plot {
  readonly title: string
  readonly steps: readonly number[]
  readonly lines: readonly Line[]
}

/** More points than this a plot does not show apart. */
const most = 2000

/**
 * The plots of a training as a script that draws them with uPlot, one below the other: loss, what is counted as right, rate,
 * and the norm of gradients, over the number of updates.
 */
export const curves = (metrics: readonly Metric[]): string => {
  const plots = plotsOf(metrics)
  return plots
    .map(({ title, steps, lines }) => {
      const series = [{ label: 'step' }, ...lines.map(({ label, colour, isSparse = false }) => ({ label, stroke: colour, width: isSparse ? 2 : 1, spanGaps: true, points: { show: isSparse, size: 6 } }))]
      return `draw(${scripted(title)}, ${scripted([steps, ...lines.map(({ values }) => values)])}, ${scripted(series)})`
    })
    .join('\n')
}

const plotsOf = (metrics: readonly Metric[]): readonly Plot[] => {
  const all = [...new Set(metrics.map(({ step }) => step))].sort((a, b) => a - b)
  const every = Math.ceil(all.length / most)
  const marked = new Set(metrics.filter(({ kind }) => kind !== 'step').map(({ step }) => step))
  const steps = all.filter((step, i) => i % every === 0 || marked.has(step))
  const at = <K extends Metric['kind']>(kind: K, value: (metric: Extract<Metric, { kind: K }>) => number | undefined): readonly (number | null)[] => {
    const byStep = new Map(metrics.filter((m): m is Extract<Metric, { kind: K }> => m.kind === kind).map(m => [m.step, value(m)]))
    return steps.map(step => byStep.get(step) ?? null)
  }
  const pair = (title: string, which: keyof Scores): Plot => ({
    title,
    steps,
    lines: [
      { label: 'batch', colour: '#b8c4d6', values: at('step', m => m[which]) },
      { label: 'epoch', colour: '#2b6cb0', values: at('epoch', m => m[which]), isSparse: true },
      { label: 'validation', colour: '#c05621', values: at('validation', m => m[which]), isSparse: true },
      { label: 'averaged weights', colour: '#2f855a', values: at('validation', m => m.average?.[which]), isSparse: true },
    ].filter(({ values }) => values.some(value => value !== null)),
  })
  return [
    pair('Loss', 'loss'),
    ...[pair('Accuracy', 'accuracy'), pair('Retrieval', 'retrieval')].filter(({ lines }) => lines.length > 0),
    { title: 'Rate', steps, lines: [{ label: 'rate', colour: '#6b46c1', values: at('step', m => m.rate) }] },
    { title: 'Norm of the gradients', steps, lines: [{ label: 'norm', colour: '#718096', values: at('step', m => m.norm) }] },
  ]
}
