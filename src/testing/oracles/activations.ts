import type { Activation } from '../../layers/core/activation.js'
import type { GeluForm } from '../../ops/tensor.js'

/** The error function (Abramowitz and Stegun, 7.1.6): all terms of the series are positive, so nothing cancels. */
const erf = (x: number): number => {
  const z = Math.abs(x)
  if (z > 6) return Math.sign(x)
  let term = z
  let total = z
  for (let n = 1; term > 1e-18 * total; n++) {
    term *= (2 * z * z) / (2 * n + 1)
    total += term
  }
  return (Math.sign(x) * 2 * Math.exp(-z * z) * total) / Math.sqrt(Math.PI)
}

/** `1 / (1 + e⁻ˣ)`. */
export const logistic = (x: number): number => 1 / (1 + Math.exp(-x))

/** Hendrycks and Gimpel, 2016: exact, by its approximation (section 2), and CLIP's. */
export const gelus: Readonly<Record<GeluForm, (x: number) => number>> = {
  erf: x => (x / 2) * (1 + erf(x / Math.sqrt(2))),
  tanh: x => (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x))),
  quick: x => x * logistic(1.702 * x),
}

/** The activations by name. */
export const activate: Readonly<Record<Activation, (x: number) => number>> = {
  gelu: gelus.erf,
  geluTanh: gelus.tanh,
  quickGelu: gelus.quick,
  relu: x => (x > 0 ? x : 0),
  silu: x => x * logistic(x),
  tanh: x => Math.tanh(x),
}
