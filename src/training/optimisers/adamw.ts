import { multiply, scalar, subtract } from '../../ops/ops.js'
import { adamState, adamUpdate, type AdamOptions } from './adamUpdate.js'
import type { Optimiser } from './optimiser.js'
import { scaledRate } from './scaledRate.js'

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter, 2019), as PyTorch's `AdamW`: first
 * `parameter · (1 − rate · weightDecay)`, then Adam's step. State for each parameter: `m`, `v`, and with amsgrad `vMax`.
 *
 * @example
 * adamw({ weightDecay: 0.05 }).config.weightDecay // 0.05
 */
export const adamw = ({ betas = [0.9, 0.999], epsilon = 1e-8, weightDecay = 0.01, amsgrad = false }: AdamOptions = {}): Optimiser => ({
  name: 'adamw',
  config: { betas, epsilon, weightDecay, amsgrad },
  state: adamState(amsgrad),
  update: at => {
    const kept = subtract(scalar(1), multiply(scaledRate(at.rate, at.scale), scalar(weightDecay)))
    const parameter = at.decay && weightDecay > 0 ? multiply(at.parameter, kept) : at.parameter
    return adamUpdate({ ...at, parameter }, { betas, epsilon, amsgrad })
  },
})
