import * as E from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../shape/problem.js'
import { resizeGrid, type GridResize } from './resizeGrid.js'

/** Grids are `[height, width]` in patches; `prefixTokens` come before the grid (class, distillation, registers). */
export interface PositionResize extends Pick<GridResize, 'kind' | 'alignCorners' | 'scaleOffset'> {
  readonly from: readonly [height: number, width: number]
  readonly to: readonly [height: number, width: number]
  readonly dim: number
  readonly prefixTokens: number
  /** True as in timm's `resample_abs_pos_embed`; false as in the DeiT, MAE, BEiT and Swin repositories. */
  readonly antialias: boolean
}

/**
 * Fits a learned position table to another image size: `[1?, prefix + fh·fw, dim] → [1?, prefix + th·tw, dim]`,
 * row-major. The grid part is resized by `resizeGrid` (bicubic unless `kind` says otherwise), the prefix tokens are copied. Swin's relative-position
 * bias tables are such grids too: `from: [2w − 1, 2w − 1]`, `dim` the number of heads, no prefix.
 *
 * Source: Dosovitskiy et al. 2021, section 3.2; the two kernels differ visibly, so take the one the checkpoint's own
 * code uses. Errors: `gridMalformed`, `lengthMismatch`.
 *
 * @example
 * resizePositions(Float32Array.of(9, 1), { from: [1, 1], to: [1, 2], dim: 1, prefixTokens: 1, antialias: true }) // { _tag: 'Right', right: Float32Array.of(9, 1, 1) }
 */
export const resizePositions = (table: Float32Array, options: PositionResize): E.Either<Problem, Float32Array> => {
  const { from, to, dim, prefixTokens } = options
  if (![...from, ...to, dim].every((size) => Number.isSafeInteger(size) && size > 0) ||
    !Number.isSafeInteger(prefixTokens) || prefixTokens < 0) {
    return E.left(problem('gridMalformed', `position table: grids and dim must be positive whole numbers and prefix ` +
      `tokens not negative, not ${from.join('×')} to ${to.join('×')}, dim ${dim}, ${prefixTokens} prefix tokens`))
  }
  const tokens = prefixTokens + from[0] * from[1]
  if (table.length !== tokens * dim) {
    return E.left(misfit(table.length, options, tokens))
  }
  const prefix = prefixTokens * dim
  const grid = resizeGrid(table.subarray(prefix), { ...options, channels: dim })
  if (E.isLeft(grid)) return grid
  const resized = new Float32Array(prefix + grid.right.length)
  resized.set(table.subarray(0, prefix))
  resized.set(grid.right, prefix)
  return E.right(resized)
}

const misfit = (length: number, { from, dim, prefixTokens }: PositionResize, tokens: number): Problem => {
  const found = length / dim
  const other = [0, 1, 2].find((count) => count !== prefixTokens && found === count + from[0] * from[1])
  const remedies = other === undefined ? {} : { remedy: `the length is right for prefixTokens: ${other}` }
  return problem('lengthMismatch', `position table: ${length} values are not ${tokens} tokens of dim ${dim} ` +
    `(a ${from.join('×')} grid and ${prefixTokens} prefix tokens)`, {
    expected: `${tokens * dim} values`,
    actual: `${length} values`,
    ...remedies,
  })
}
