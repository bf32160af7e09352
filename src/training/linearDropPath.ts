/**
 * The rates of stochastic depth of all blocks (Huang et al., 2016, section 3): from 0 in equal steps to `rate`, the
 * blocks of all stages counted together.
 *
 * @param depths the number of blocks, or that of each stage
 *
 * @example
 * linearDropPath(0.2, [2, 3]) // [0, 0.05, 0.1, 0.15000000000000002, 0.2]
 */
export const linearDropPath = (rate: number, depths: number | readonly number[]): readonly number[] => {
  const blocks = [depths].flat().reduce((a, b) => a + b, 0)
  return Array.from({ length: blocks }, (_, i) => (blocks === 1 ? 0 : (rate * i) / (blocks - 1)))
}
