import { wilson } from '../evaluate/wilson.js'
import type { Evaluation } from '../evaluate/tally.js'
import { escaped, percent } from './html.js'

/** How one class did. */
export interface ClassRow {
  readonly name: string
  readonly samples: number
  /** Of its samples, the share that was found. */
  readonly recall: number
  /** Of what was called so, the share that is. */
  readonly precision: number
}

/**
 * How each class did, in their order. A share of nothing is NaN.
 *
 * @example
 * classRows({ confusion: Int32Array.of(3, 1, 0, 4) }, ['cat', 'dog'])[0] // { name: 'cat', samples: 4, recall: 0.75, precision: 1 }
 */
export const classRows = ({ confusion }: Pick<Evaluation, 'confusion'>, classes: readonly string[]): readonly ClassRow[] => {
  const n = classes.length
  const sum = (cells: readonly number[]): number => cells.reduce((a, b) => a + b, 0)
  return classes.map((name, i) => {
    const hits = confusion[i * n + i]!
    const samples = sum(classes.map((_, j) => confusion[i * n + j]!))
    const called = sum(classes.map((_, j) => confusion[j * n + i]!))
    return { name, samples, recall: hits / samples, precision: hits / called }
  })
}

/** More classes than this make a table nobody reads; the pairs most often mixed up are listed instead. */
const most = 40
const listed = 30

/** The confusion matrix as a table, its cells the darker the more often a class is taken for another; and a table of classes. */
export const confusionTable = (evaluation: Evaluation, classes: readonly string[]): string => {
  const rows = classRows(evaluation, classes)
  const byClass = `<table><thead><tr><th>class</th><th>samples</th><th>recall</th><th>95 % interval</th><th>precision</th></tr></thead><tbody>${rows
    .map(({ name, samples, recall, precision }) => `<tr><th>${escaped(name)}</th><td>${samples}</td><td>${percent(recall)}</td><td>${samples === 0 ? '–' : wilson(Math.round(recall * samples), samples).map(percent).join(' to ')}</td><td>${percent(precision)}</td></tr>`)
    .join('')}</tbody></table>`
  return `${classes.length <= most ? matrix(evaluation, classes) : pairs(evaluation, classes)}<h2>Classes</h2>${byClass}`
}

const matrix = ({ confusion }: Evaluation, classes: readonly string[]): string => {
  const n = classes.length
  const cell = (i: number, j: number): string => {
    const row = Array.from(confusion.subarray(i * n, (i + 1) * n))
    const [count, total] = [row[j]!, row.reduce((a, b) => a + b, 0)]
    const share = total === 0 ? 0 : count / total
    return `<td style="background:${i === j ? `rgba(43,108,176,${share.toFixed(3)})` : `rgba(192,86,33,${Math.sqrt(share).toFixed(3)})`};color:${share > 0.5 ? '#fff' : 'inherit'}">${count === 0 ? '' : count}</td>`
  }
  const heads = classes.map(name => `<th class="column"><span>${escaped(name)}</span></th>`).join('')
  return `<p>A row is what samples are, a column what they are taken for.</p><div class="wide"><table class="confusion"><thead><tr><th></th>${heads}</tr></thead><tbody>${classes.map((name, i) => `<tr><th>${escaped(name)}</th>${classes.map((_, j) => cell(i, j)).join('')}</tr>`).join('')}</tbody></table></div>`
}

const pairs = ({ confusion }: Evaluation, classes: readonly string[]): string => {
  const n = classes.length
  const mixed = Array.from(confusion, (count, at) => ({ count, is: Math.floor(at / n), taken: at % n })).filter(({ count, is, taken }) => count > 0 && is !== taken)
  const rows = mixed.sort((a, b) => b.count - a.count).slice(0, listed).map(({ count, is, taken }) => `<tr><th>${escaped(classes[is]!)}</th><td>${escaped(classes[taken]!)}</td><td>${count}</td></tr>`)
  return `<p>The classes most often mixed up, of ${n}.</p><table><thead><tr><th>is</th><th>taken for</th><th>samples</th></tr></thead><tbody>${rows.join('')}</tbody></table>`
}
