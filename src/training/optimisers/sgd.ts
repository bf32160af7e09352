import { add, multiply, relu, scalar, subtract } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'
import type { Optimiser } from './optimiser.js'
import { scaledRate } from './scaledRate.js'

/** Options of {@link sgd}. */
export interface SgdOptions {
  /** The share of earlier steps that goes on (default 0). */
  readonly momentum?: number
  /** Whether to look ahead by the momentum (default no; with momentum and no dampening only). */
  readonly nesterov?: boolean
  /** How much less a new gradient counts in the momentum, but for the first (default 0). */
  readonly dampening?: number
  /** The pull towards 0, as a part of the gradient (default 0). */
  readonly weightDecay?: number
}

/**
 * Stochastic gradient descent with momentum (Sutskever et al., 2013), as PyTorch's `SGD`: the rate is outside the
 * momentum. State for each parameter: `momentum`, where there is any.
 *
 * @example
 * sgd({ momentum: 0.9, nesterov: true }).state // ['momentum']
 */
export const sgd = ({ momentum = 0, nesterov = false, dampening = 0, weightDecay = 0 }: SgdOptions = {}): Optimiser => ({
  name: 'sgd',
  config: { momentum, nesterov, dampening, weightDecay },
  state: momentum === 0 ? [] : ['momentum'],
  update: ({ parameter, gradient, state, rate, step, decay, scale }) => {
    const slope = decay && weightDecay > 0 ? add(gradient, multiply(parameter, scalar(weightDecay))) : gradient
    const moved = (direction: Tensor): Tensor => subtract(parameter, multiply(scaledRate(rate, scale), direction))
    if (momentum === 0) return { parameter: moved(slope), state: {} }
    const velocity = add(multiply(scalar(momentum), state['momentum']!), dampening === 0 ? slope : multiply(share(step, dampening), slope))
    return { parameter: moved(nesterov ? add(slope, multiply(scalar(momentum), velocity)) : velocity), state: { momentum: velocity } }
  },
})

/** 1 at the first step, `1 − dampening` afterwards: PyTorch begins the momentum with the whole first gradient. */
const share = (step: Tensor, dampening: number): Tensor => add(scalar(1 - dampening), multiply(scalar(dampening), relu(subtract(scalar(2), step))))
