import { asPackedAttention } from '../ops/asPackedAttention.js'
import { isOp } from '../ops/tensor.js'
import { rewriting } from './pass.js'

/** Reads queries, keys and values where the projection left them, side by side, instead of slicing them out first. */
export const packAttention = rewriting(node => (isOp(node, 'attention') ? asPackedAttention(node) ?? node : node))
