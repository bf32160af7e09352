import * as ops from '../../ops/ops.js'
import { isOp, type Tensor } from '../../ops/tensor.js'
import { collectNodes } from '../graph.js'
import type { Instead } from './rule.js'

/**
 * A segment computed anew: every node between `remat`'s inputs and its value that depends on them, made again over
 * inputs that wait for the gradient that arrives at its end, and its random masks drawn again. So nothing of the first
 * time need be kept.
 */
export const recomputed = ({ inputs: [y, ...from] }: Tensor<'remat'>, dy: Tensor): Instead => {
  const made = new Map(from.map(x => [x, ops.after(x, dy)] as const) as readonly (readonly [Tensor, Tensor])[])
  for (const node of collectNodes([y!], new Set(from))) {
    if (isOp(node, 'dropMask')) made.set(node, ops.dropMask(node.attributes.stream, node.attributes.keep, node.shape, dy))
    else if (node.inputs.some(x => made.has(x))) made.set(node, ops.withInputs(node, node.inputs.map(x => made.get(x) ?? x)))
  }
  return { instead: made.get(y!) ?? y!, origins: new Map([...made].map(([original, copy]) => [copy, original])) }
}
