import { right, type Either } from 'fp-ts/lib/Either.js'
import type { Problem } from '../shape/problem.js'
import type { PositionTable } from './positionTables.js'
import { resizePositions } from './resizePositions.js'

/**
 * The values of a position table for another grid: bicubic, prefix tokens as they are. Tables of relative positions are
 * resized without antialiasing, as Microsoft's Swin does (`utils.load_pretrained`), on their grid of distances.
 *
 * Errors: those of `resizePositions`.
 *
 * @param antialias of absolute tables: true as timm, false as the repositories of DeiT and MAE
 *
 * @example
 * resizeTable(Float32Array.of(5, 5, 5), { kind: 'absolute', grid: [1, 3], prefixTokens: 0, dim: 1, isTransposed: false }, [1, 1], true) // right(Float32Array.of(5))
 */
export const resizeTable = (values: Float32Array, before: PositionTable, to: readonly [number, number], antialias: boolean): Either<Problem, Float32Array> => {
  const { kind, grid: from, dim, prefixTokens, isTransposed } = before
  const rows = isTransposed ? transposed(values, dim) : values
  const resized = resizePositions(rows, { from, to, dim, prefixTokens, antialias: antialias && kind === 'absolute' })
  return resized._tag === 'Right' && isTransposed ? right(transposed(resized.right, resized.right.length / dim)) : resized
}

/** `[rows, columns] → [columns, rows]`. */
const transposed = (values: Float32Array, rows: number): Float32Array => {
  const columns = values.length / rows
  return values.map((_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!)
}
