import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../../shape/problem.js'

/**
 * The cheapest assignment of every row to a column of its own (Kuhn, 1955, "The Hungarian method", in the form of
 * shortest augmenting paths: Jonker and Volgenant, 1987): the column of each row, `[rows · columns] → [rows]`. The time
 * grows with rows² · columns.
 *
 * Errors: `tooManyRows` (more than columns), `costsMisfit` (not one for each pair), `notFinite`.
 *
 * @param cost row by row
 *
 * @example
 * assign([4, 1, 3, 2, 0, 5], 2, 3) // right(Int32Array.of(1, 0))
 */
export const assign = (cost: ArrayLike<number>, rows: number, columns: number): Either<Problem, Int32Array> => {
  if (rows > columns) return left(problem('tooManyRows', `assign: ${rows} rows cannot have a column each of ${columns}`, { remedy: 'let the larger side be the columns' }))
  if (cost.length !== rows * columns) return left(problem('costsMisfit', `assign: ${rows} rows and ${columns} columns have ${rows * columns} costs, got ${cost.length}`))
  if (!Array.from(cost).every(Number.isFinite)) return left(problem('notFinite', 'assign: all costs must be finite', { remedy: 'let a pair that must not be cost more than all others together' }))
  // Prices of rows and columns, under which no pair costs less than nothing; column 0 stands for the row to be placed.
  const [ofRow, ofColumn] = [new Float64Array(rows + 1), new Float64Array(columns + 1)]
  const rowAt = new Int32Array(columns + 1)
  for (let row = 1; row <= rows; row++) {
    const [reach, before, done] = [new Float64Array(columns + 1).fill(Infinity), new Int32Array(columns + 1), new Uint8Array(columns + 1)]
    rowAt[0] = row
    let column = 0
    do {
      done[column] = 1
      const from = rowAt[column]!
      let [next, step] = [0, Infinity]
      for (let other = 1; other <= columns; other++) {
        if (done[other] === 1) continue
        const slack = cost[(from - 1) * columns + other - 1]! - ofRow[from]! - ofColumn[other]!
        if (slack < reach[other]!) [reach[other], before[other]] = [slack, column]
        if (reach[other]! < step) [step, next] = [reach[other]!, other]
      }
      for (let other = 0; other <= columns; other++) {
        if (done[other] === 1) {
          ofRow[rowAt[other]!]! += step
          ofColumn[other]! -= step
        } else reach[other]! -= step
      }
      column = next
    } while (rowAt[column] !== 0)
    for (; column !== 0; column = before[column]!) rowAt[column] = rowAt[before[column]!]!
  }
  const found = new Int32Array(rows)
  for (let column = 1; column <= columns; column++) if (rowAt[column]! > 0) found[rowAt[column]! - 1] = column - 1
  return right(found)
}
