import { stableLog } from './stableLog.js'

// Coefficients of algorithm AS 241 (PPND16), highest power first: quotients of two polynomials of degree 7. The
// published digits are shortened to the doubles they round to.
const centre = {
  above: [2509.0809287301227, 33430.57558358813, 67265.7709270087, 45921.95393154987, 13731.69376550946,
    1971.5909503065513, 133.14166789178438, 3.3871328727963665],
  below: [5226.495278852546, 28729.085735721943, 39307.89580009271, 21213.794301586597, 5394.196021424751,
    687.1870074920579, 42.31333070160091, 1],
}
const middle = {
  above: [0.0007745450142783414, 0.022723844989269184, 0.2417807251774506, 1.2704582524523684,
    3.6478483247632045, 5.769497221460691, 4.630337846156546, 1.4234371107496835],
  below: [1.0507500716444169e-9, 0.0005475938084995345, 0.015198666563616457, 0.14810397642748008,
    0.6897673349851, 1.6763848301838038, 2.053191626637759, 1],
}
const tail = {
  above: [2.0103343992922881e-7, 2.7115555687434876e-5, 0.0012426609473880784, 0.026532189526576124,
    0.29656057182850487, 1.7848265399172913, 5.463784911164114, 6.657904643501103],
  below: [2.0442631033899397e-15, 1.421511758316446e-7, 1.8463183175100548e-5, 0.0007868691311456133,
    0.014875361290850615, 0.1369298809227358, 0.599832206555888, 1],
}

interface Quotient {
  readonly above: readonly number[]
  readonly below: readonly number[]
}

/** Both polynomials by Horner's rule; a loop, as this runs once for each weight. */
const evaluate = ({ above, below }: Quotient, x: number): number => {
  let numerator = 0
  let denominator = 0
  for (let i = 0; i < 8; i++) {
    numerator = numerator * x + above[i]!
    denominator = denominator * x + below[i]!
  }
  return numerator / denominator
}

/**
 * √2 · erf⁻¹(v): the value that a standard normal deviate stays within ±|v| of the time, with v's sign. It maps a
 * uniform v in (−1, 1) to a standard normal deviate, and is odd: −v gives exactly the negative.
 *
 * Wichura 1988, algorithm AS 241 (PPND16), relative error below 1e-15 here. Only + − × ÷ √ and {@link stableLog},
 * so every machine gets the same bits. ±1 give ±Infinity; outside [−1, 1] the result is NaN.
 *
 * @example
 * inverseNormal(0) // 0
 */
export const inverseNormal = (v: number): number => {
  const q = v / 2
  if (Math.abs(q) <= 0.425) return q * evaluate(centre, 0.180625 - q * q)
  const beyond = 0.5 - Math.abs(q)
  if (beyond === 0) return v * Infinity
  if (!(beyond > 0)) return NaN
  const r = Math.sqrt(-stableLog(beyond))
  const size = r <= 5 ? evaluate(middle, r - 1.6) : evaluate(tail, r - 5)
  return v < 0 ? -size : size
}
