import { add, multiply, scalar } from '../../ops/ops.js'
import { adamState, adamUpdate, type AdamOptions } from './adamUpdate.js'
import type { Optimiser } from './optimiser.js'

/**
 * Adam (Kingma and Ba, 2015), as PyTorch's `Adam`: weight decay is a part of the gradient. State for each parameter:
 * `m`, `v`, and with amsgrad `vMax`.
 *
 * @example
 * adam().state // ['m', 'v']
 */
export const adam = ({ betas = [0.9, 0.999], epsilon = 1e-8, weightDecay = 0, amsgrad = false }: AdamOptions = {}): Optimiser => ({
  name: 'adam',
  config: { betas, epsilon, weightDecay, amsgrad },
  state: adamState(amsgrad),
  update: at => {
    const gradient = at.decay && weightDecay > 0 ? add(at.gradient, multiply(at.parameter, scalar(weightDecay))) : at.gradient
    return adamUpdate({ ...at, gradient }, { betas, epsilon, amsgrad })
  },
})
