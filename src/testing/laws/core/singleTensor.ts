import { isTensor, type Tensor } from '../../../ops/tensor.js'
import type { Subject } from './subject.js'

/** The input and output of a model that takes one tensor of floats and gives one; nothing otherwise. */
export const singleTensor = (subject: Subject): { readonly input: Tensor; readonly output: Tensor } | undefined => {
  const { inputs, output } = subject.graph()
  return isTensor(inputs) && isTensor(output) && inputs.dtype === 'float32' ? { input: inputs, output } : undefined
}
