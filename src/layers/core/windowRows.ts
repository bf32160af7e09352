import { problem, type Problem } from '../../shape/problem.js'

/**
 * Where the pixels of every window lie in a padded image that is read row by row: `indices [rows · columns, size²]`, the
 * windows and the pixels in each row by row.
 *
 * @example
 * windowRows(2, 3, 2, 1).indices // Int32Array.of(0, 1, 3, 4, 1, 2, 4, 5)
 */
export const windowRows = (height: number, width: number, size: number, stride: number): { readonly rows: number; readonly columns: number; readonly indices: Int32Array } => {
  const [rows, columns] = [Math.floor((height - size) / stride) + 1, Math.floor((width - size) / stride) + 1]
  const indices = new Int32Array(rows * columns * size * size)
  let at = 0
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      for (let dy = 0; dy < size; dy++) for (let dx = 0; dx < size; dx++) indices[at++] = (row * stride + dy) * width + column * stride + dx
  return { rows, columns, indices }
}

/** A window wholly in the padding would hold nothing. */
export const paddingFits = (layer: string, size: number, padding: number): Problem | undefined =>
  Number.isInteger(padding) && padding >= 0 && padding < size ? undefined : problem('notAPadding', `${layer}: padding must be a whole number from 0, below the size of the window, got ${String(padding)}`)
