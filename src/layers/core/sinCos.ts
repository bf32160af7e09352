/**
 * Fixed positions along a sequence (Vaswani et al., 2017, section 3.5): channel `2i` is
 * `sin(position / 10000^(2i/dim))`, channel `2i+1` its cosine. Computed here in double precision, because
 * backends' own sines differ. → `[count, dim]`, row by row.
 */
export const sequencePositions = (count: number, dim: number): Float32Array => {
  const table = new Float32Array(count * dim)
  for (let position = 0; position < count; position++)
    for (let channel = 0; channel < dim; channel++) {
      const angle = position / 10000 ** ((channel - (channel % 2)) / dim)
      table[position * dim + channel] = channel % 2 === 0 ? Math.sin(angle) : Math.cos(angle)
    }
  return table
}

/**
 * Fixed positions on a grid, as MAE makes them: the first half of the channels encodes the column, the
 * second the row; each half is all sines, then all cosines, of `position / 10000^(i / (dim/4))`.
 * → `[rows·columns, dim]`, row by row.
 */
export const gridPositions = (rows: number, columns: number, dim: number): Float32Array => {
  const table = new Float32Array(rows * columns * dim)
  const quarter = dim / 4
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      for (let i = 0; i < quarter; i++) {
        const at = (row * columns + column) * dim + i
        const omega = 10000 ** (-i / quarter)
        table[at] = Math.sin(column * omega)
        table[at + quarter] = Math.cos(column * omega)
        table[at + 2 * quarter] = Math.sin(row * omega)
        table[at + 3 * quarter] = Math.cos(row * omega)
      }
  return table
}
