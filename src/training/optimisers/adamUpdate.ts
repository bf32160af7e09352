import { add, divide, maximum, multiply, scalar, sqrt, subtract, tanh } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'
import type { Optimiser } from './optimiser.js'
import { scaledRate } from './scaledRate.js'

/** Options of {@link adam} and {@link adamw}. */
export interface AdamOptions {
  /** The shares of earlier steps that go on, of the mean and of the mean square (default 0.9 and 0.999). */
  readonly betas?: readonly [number, number]
  /** Added to the root of the mean square (default 1e-8). */
  readonly epsilon?: number
  /** The pull towards 0 (default 0 for Adam, 0.01 for AdamW). */
  readonly weightDecay?: number
  /** Whether the mean square may only grow (Reddi et al., 2018; default no). */
  readonly amsgrad?: boolean
}

/** The state tensors of Adam: mean, mean square, and the largest mean square so far. */
export const adamState = (amsgrad: boolean): readonly string[] => (amsgrad ? ['m', 'v', 'vMax'] : ['m', 'v'])

/** One step of Adam for one parameter, whatever was done about weight decay before it. */
export const adamUpdate = ({ parameter, gradient, state, rate, step, scale }: Omit<Parameters<Optimiser['update']>[0], 'decay'>, { betas: [beta1, beta2], epsilon, amsgrad }: Pick<Required<AdamOptions>, 'betas' | 'epsilon' | 'amsgrad'>): ReturnType<Optimiser['update']> => {
  const m = add(state['m']!, multiply(scalar(1 - beta1), subtract(gradient, state['m']!)))
  const v = add(multiply(scalar(beta2), state['v']!), multiply(scalar(1 - beta2), multiply(gradient, gradient)))
  const vMax = amsgrad ? maximum(state['vMax']!, v) : v
  const root = add(divide(sqrt(vMax), sqrt(correction(step, beta2))), scalar(epsilon))
  const moved = subtract(parameter, multiply(divide(scaledRate(rate, scale), correction(step, beta1)), divide(m, root)))
  return { parameter: moved, state: amsgrad ? { m, v, vMax } : { m, v } }
}

/**
 * `1 − βᵗ`, `[] → []`. As `1 − exp(t·log β)` it would lose four digits at the first steps, where `βᵗ` is nearly 1;
 * `−2h / (1 − h)` with `h = tanh(½·t·log β)` is the same and loses none.
 */
const correction = (step: Tensor, beta: number): Tensor => {
  const h = tanh(multiply(step, scalar(Math.log(Math.max(beta, 1e-30)) / 2)))
  return divide(multiply(scalar(-2), h), subtract(scalar(1), h))
}
