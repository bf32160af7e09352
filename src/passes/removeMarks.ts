import { isOp } from '../ops/tensor.js'
import { rewriting } from './pass.js'

/** Takes out what only tells `gradient` what to compute anew or to leave alone: gradients have been made by now, if there are any. */
export const removeMarks = rewriting(node => (isOp(node, 'remat') || isOp(node, 'detach') ? node.inputs[0]! : node))
