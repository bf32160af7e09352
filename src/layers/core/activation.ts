import { gelu as geluOp, multiply, relu as reluOp, sigmoid as sigmoidOp, softmax as softmaxOp, tanh as tanhOp } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'

/** The activations by the names recipes use. */
export const activations = {
  gelu: (x: Tensor): Tensor => geluOp(x, 'erf'),
  geluTanh: (x: Tensor): Tensor => geluOp(x, 'tanh'),
  quickGelu: (x: Tensor): Tensor => geluOp(x, 'quick'),
  relu: (x: Tensor): Tensor => reluOp(x),
  silu: (x: Tensor): Tensor => multiply(x, sigmoidOp(x)),
  tanh: (x: Tensor): Tensor => tanhOp(x),
  softmax: (x: Tensor): Tensor => softmaxOp(x),
} as const

/** The name of an activation function. */
export type Activation = Exclude<keyof typeof activations, 'softmax'>

/** The names an `activation` option may have. */
export const activationNames = (Object.keys(activations) as (keyof typeof activations)[]).filter((name): name is Activation => name !== 'softmax')
