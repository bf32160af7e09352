import { add, multiply, scalar, subtract } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'

/**
 * MixToken (Jiang et al., 2021, section 3.3): the tokens of a partner where `inside` is 1, one's own where it is 0,
 * `[height, width, dim], [height, width, dim], [height, width, 1] → [height, width, dim]`. After the trunk the same box
 * is swapped back in the tokens' outputs.
 *
 * @param inside see `boxMask`; a tensor, since the box differs from step to step
 *
 * @example
 * mixToken(ops.input('own', [14, 14, 192]), ops.input('partner', [14, 14, 192]), ops.parameter('box', [14, 14, 1], { kind: 'zeros' })).shape // [14, 14, 192]
 */
export const mixToken = (own: Tensor, partner: Tensor, inside: Tensor): Tensor => add(multiply(own, subtract(scalar(1), inside)), multiply(partner, inside))
