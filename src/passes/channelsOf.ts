import type { Tensor } from '../ops/tensor.js'
import { sizeOf } from '../shape/shape.js'
import { reshaped } from './reshaped.js'

/** One number a channel, `[dim]`, if that is all a tensor holds. */
export const channelsOf = (t: Tensor, dim: number): Tensor | undefined => (t.shape.at(-1) === dim && sizeOf(t.shape) === dim ? reshaped(t, [dim]) : undefined)
