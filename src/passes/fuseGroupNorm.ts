import * as ops from '../ops/ops.js'
import { isOp, type OpKind, type Tensor } from '../ops/tensor.js'
import { sameShape, sizeOf } from '../shape/shape.js'
import { rewriting, usesOf } from './pass.js'
import { reshaped } from './reshaped.js'

/**
 * Group norm in two passes over its input, instead of transposing groups into rows and back, and with the activation that
 * follows it.
 *
 * Worth, on wasm with one thread: ViT-S/R26+S/32 runs 1.09 times faster, its norms in a quarter of the time.
 */
export const fuseGroupNorm = rewriting<ReadonlyMap<Tensor, number>>((node, original, uses) => {
  const isUsedOnce = (i: number): boolean => uses.get(original.inputs[i]!) === 1
  if (isOp(node, 'gelu') || isOp(node, 'relu')) {
    const norm = node.inputs[0]!
    if (!isOp(norm, 'groupNorm') || norm.attributes.activation !== 'none' || !isUsedOnce(0)) return node
    const [x, gamma, beta] = norm.inputs
    return ops.groupNorm(x!, gamma!, beta!, { ...norm.attributes, activation: isOp(node, 'gelu') ? node.attributes.form : 'relu' })
  }
  if (!isOp(node, 'add')) return node
  const [scaled, beta] = node.inputs
  if (!isOp(scaled!, 'multiply') || !isUsedOnce(0)) return node
  const [back, gamma] = scaled.inputs
  const norm = normalised(back!, original.inputs[0]!.inputs[0]!, uses)
  const [shift, scale] = [channelsOf(beta!, node.shape), channelsOf(gamma!, node.shape)]
  if (norm === undefined || shift === undefined || scale === undefined || !sameShape(back!.shape, node.shape)) return node
  return ops.groupNorm(reshaped(norm.x, node.shape), scale, shift, { numGroups: norm.numGroups, epsilon: norm.epsilon, activation: 'none' })
}, usesOf)

/** From the result back to the input, what `groupNorm` makes of a tensor. */
const steps: readonly OpKind[] = ['reshape', 'transpose', 'reshape', 'layerNorm', 'reshape', 'transpose', 'reshape']

/** What is normalised in groups to give `t`, if that is how `t` is made, and only for it. */
const normalised = (t: Tensor, original: Tensor, uses: ReadonlyMap<Tensor, number>): { readonly x: Tensor; readonly numGroups: number; readonly epsilon: number } | undefined => {
  const made: Tensor[] = []
  let [at, before] = [t, original]
  for (const op of steps) {
    if (at.op !== op || before.op !== op || at.inputs.length !== 1 || uses.get(before) !== 1) return undefined
    made.push(at)
    ;[at, before] = [at.inputs[0]!, before.inputs[0]!]
  }
  const [image, back, , rows, , turned, apart] = made as [Tensor, Tensor<'transpose'>, Tensor, Tensor<'layerNorm'>, Tensor, Tensor<'transpose'>, Tensor]
  const [numGroups = 0, places = 0, inGroup = 0] = turned.shape
  const isGrouped = [back, turned].every(({ attributes: { perm } }) => perm.join() === '1,0,2') && sameShape(apart.shape, [places, numGroups, inGroup]) && sameShape(rows.shape, [numGroups, places * inGroup]) && image.shape.at(-1) === numGroups * inGroup
  return isGrouped ? { x: at, numGroups, epsilon: rows.attributes.epsilon } : undefined
}

/** One number a channel, that all samples share. */
const channelsOf = (t: Tensor, shape: readonly number[]): Tensor | undefined => {
  const dim = shape.at(-1)!
  return t.shape.at(-1) === dim && sizeOf(t.shape) === dim && !t.batched ? reshaped(t, [dim]) : undefined
}
