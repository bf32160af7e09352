/**
 * The 95% interval of a share that was counted (Wilson, 1927): where the true share lies, of which `hits` of `count`
 * were seen. Unlike the normal approximation it stays within 0 and 1.
 *
 * @example
 * wilson(9, 10).map(x => x.toFixed(3)) // ['0.596', '0.982']
 */
export const wilson = (hits: number, count: number): readonly [low: number, high: number] => {
  if (count === 0) return [0, 1]
  const z = 1.959963984540054
  const share = hits / count
  const spread = z * Math.sqrt((share * (1 - share)) / count + (z * z) / (4 * count * count))
  const scale = 1 + (z * z) / count
  const centre = share + (z * z) / (2 * count)
  return [Math.max(0, (centre - spread) / scale), Math.min(1, (centre + spread) / scale)]
}
