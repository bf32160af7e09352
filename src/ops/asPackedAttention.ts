import { sameShape } from '../shape/shape.js'
import { packedAttention } from './fused.js'
import { isOp, type Tensor } from './tensor.js'

/** The same attention from the one tensor of which queries, keys and values are slices side by side; nothing where they are not. */
export const asPackedAttention = ({ inputs: [q, k, v, bias], attributes }: Tensor<'attention'>): Tensor<'packedAttention'> | undefined => {
  const thirds = [q!, k!, v!]
  const whole = q!.inputs[0]
  if (whole === undefined || !thirds.every(t => isOp(t, 'slice') && t.inputs[0] === whole)) return undefined
  const width = q!.shape.at(-1)!
  const fits = sameShape(whole.shape, [...q!.shape.slice(0, -1), 3 * width]) && thirds.every((t, i) => sameShape(t.shape, q!.shape) && (t as Tensor<'slice'>).attributes.begin.at(-1) === i * width)
  return fits ? packedAttention(whole, attributes, bias) : undefined
}
