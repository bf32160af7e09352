/**
 * How ConViT's positional attention begins as a convolution (d'Ascoli et al., 2021, section 3 and appendix;
 * `local_init` of its code): head `h + k·g` of the first `k²`, `k = ⌊√heads⌋`, looks at the place `(g, h)` of
 * a `k×k` kernel. The score of a place at offset `(dx, dy)` is `−|offset − centre|²` up to a constant, which
 * is linear in `(dx, dy, dx² + dy²)`. Heads beyond `k²` keep their random weights; all are scaled.
 *
 * @param random the weights `[heads, 3]` drawn first, row by row
 * @param strength how sharply heads look (`locality_strength`)
 *
 * @example
 * localAttention(new Float32Array(12), 1).slice(0, 3) // Float32Array.of(-1, -1, -1)
 */
export const localAttention = (random: Float32Array, strength: number): Float32Array => {
  const values = random.slice()
  const kernel = Math.floor(Math.sqrt(values.length / 3))
  const centre = (kernel - 1) / 2
  for (let h = 0; h < kernel; h++) for (let g = 0; g < kernel; g++) values.set([2 * (g - centre), 2 * (h - centre), -1], 3 * (h + kernel * g))
  return values.map(value => value * strength)
}
