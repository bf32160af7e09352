import { showProblem } from '../../shape/problem.js'
import { showFields } from '../../shape/shape.js'
import type { ReportedFailure, ReportedModel } from './report.js'

/** Words that stand out where there are colours. */
export interface Marks {
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly strong: (text: string) => string
}

const unmarked: Marks = { good: text => text, bad: text => text, strong: text => text }

/**
 * A report for people: one line a model, then each failure with its smallest recipe. The table of laws is the caller's.
 *
 * @example
 * text([]) // ''
 */
export const text = (models: readonly ReportedModel[], marks: Marks = unmarked): string => models.map(model => [headline(model, marks), ...model.failures.map(failure => told(failure, model, marks))].join('\n\n')).join('\n')

const headline = ({ id, ok, input, output, params, backend, parts, scaled, seconds, seed, problem, failures }: ReportedModel, { good, bad, strong }: Marks): string => {
  if (problem !== undefined && failures.length === 0) return `${bad('✗')} ${strong(id)}  ${showFields(input)}: ${bad(showProblem(problem))}`
  const facts = [`${showFields(input)} → ${output === undefined ? '?' : showFields(output)}`, ...(params === undefined ? [] : [`${params} parameters`]), ...(parts === undefined ? [] : [`${parts} parts on ${backend}`]), `seed ${seed}`, `${seconds.toFixed(1)} s`]
  const verdict = ok ? good('ok') : bad(`${failures.length} ${failures.length === 1 ? 'failure' : 'failures'}`)
  return `${ok ? good('✓') : bad('✗')} ${strong(id)}  ${verdict}  ${facts.join(', ')}${scaled === undefined || scaled === '' ? '' : `\n  scaled down: ${scaled}`}`
}

const indented = (block: string, by = 4): string => block.trimEnd().split('\n').map(line => (line === '' ? '' : ' '.repeat(by) + line)).join('\n')

const told = ({ title, law, part, evidence, meaning, also, smallest, file, line, replay }: ReportedFailure, { id, seed }: ReportedModel, { bad, strong }: Marks): string =>
  [
    `${bad('✗')} ${strong(part)} of ${id}${file === undefined ? '' : ` (${file}${line === undefined ? '' : `:${line}`})`}`,
    `  ${title}  [${law}]`,
    `  ${bad(evidence)}`,
    `  ${meaning}`,
    ...(also.length === 0 ? [] : [`  It breaks other laws too: ${also.join(', ')}.`]),
    ...(smallest === undefined ? [] : [`  The smallest recipe found that fails (${smallest.layers} ${smallest.layers === 1 ? 'layer' : 'layers'}, seed ${seed})${smallest.evidence === '' ? '' : `: ${smallest.evidence}`}`, '', indented(smallest.source), '']),
    ...(replay === undefined ? [] : [`  Again: vitrail check --replay ${replay}`]),
  ].join('\n')
