import { constant, gather, transpose } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'

/**
 * For each query (row) and key (column) of a window, the row of the bias table that holds their relative
 * position (Liu et al., 2021, section 3.2): `(dy + height − 1)·(2·width − 1) + (dx + width − 1)`, where
 * `(dy, dx)` is query minus key. → `[height·width, height·width]`, row by row.
 */
export const relativePositionIndex = (height: number, width: number): Int32Array => {
  const tokens = height * width
  const index = new Int32Array(tokens * tokens)
  for (let query = 0; query < tokens; query++)
    for (let key = 0; key < tokens; key++) {
      const dy = Math.floor(query / width) - Math.floor(key / width)
      const dx = (query % width) - (key % width)
      index[query * tokens + key] = (dy + height - 1) * (2 * width - 1) + dx + width - 1
    }
  return index
}

/** How many relative positions a window has: `(2·height − 1)·(2·width − 1)`, the rows of its bias table. */
export const relativePositionCount = (height: number, width: number): number => (2 * height - 1) * (2 * width - 1)

/** The index as an op node, `[tokens, tokens]`. */
export const relativePositions = (height: number, width: number): Tensor<'constant'> => constant(relativePositionIndex(height, width), [height * width, height * width])

/**
 * The bias that a table `[(2·height − 1)·(2·width − 1), heads]` gives to the scores of a window:
 * `[heads, tokens, tokens]`. It depends on weights alone, so it is computed once, when they load.
 */
export const relativePositionBias = (table: Tensor, index: Tensor): Tensor => transpose(gather(table, index), [2, 0, 1])
