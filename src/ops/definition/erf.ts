/**
 * The error function in double precision, to about 1e-15: the Maclaurin series near zero, the continued
 * fraction of the complement (Abramowitz and Stegun, 7.1.5 and 7.1.14) further out.
 *
 * @example
 * erf(0) // 0
 */
export const erf = (x: number): number => {
  if (Number.isNaN(x)) return x
  const z = Math.abs(x)
  if (z > 6) return Math.sign(x)
  return Math.sign(x) * (z < 2.5 ? series(z) : 1 - complement(z))
}

const series = (z: number): number => {
  let term = z
  let total = z
  for (let n = 1; Math.abs(term) > 1e-18 * total && n < 200; n++) {
    term *= (-z * z) / n
    total += term / (2 * n + 1)
  }
  return (2 / Math.sqrt(Math.PI)) * total
}

const complement = (z: number): number => {
  let fraction = z
  for (let n = 120; n >= 1; n--) fraction = z + n / 2 / fraction
  return Math.exp(-z * z) / (Math.sqrt(Math.PI) * fraction)
}
