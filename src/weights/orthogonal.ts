/**
 * Rows of `width` numbers made orthogonal to each other (Gram and Schmidt, twice over against rounding), each of length
 * `gain`. Of more rows than `width`, every `width` in turn are orthogonal.
 *
 * @example
 * orthogonal(Float32Array.of(3, 0, 1, 2), 2, 1) // Float32Array.of(1, 0, 0, 1)
 */
export const orthogonal = (drawn: Float32Array, width: number, gain: number): Float32Array => {
  const rows = Array.from({ length: drawn.length / width }, (_, i) => Float64Array.from(drawn.subarray(i * width, (i + 1) * width)))
  const dot = (a: Float64Array, b: Float64Array): number => a.reduce((total, x, i) => total + x * b[i]!, 0)
  rows.forEach((row, i) => {
    for (const before of [...rows.slice(i - (i % width), i), ...rows.slice(i - (i % width), i)]) {
      const along = dot(row, before)
      row.forEach((x, at) => (row[at] = x - along * before[at]!))
    }
    const length = Math.sqrt(dot(row, row))
    row.forEach((x, at) => (row[at] = x / length))
  })
  return Float32Array.from(rows.flatMap(row => Array.from(row, x => gain * x)))
}
