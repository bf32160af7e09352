import { linearOperands } from '../ops/linearOperands.js'
import * as ops from '../ops/ops.js'
import { isOp, type FusedActivation, type Tensor } from '../ops/tensor.js'
import { sameShape } from '../shape/shape.js'
import type { Listing } from './listing.js'
import { rewriting } from './pass.js'

/**
 * Lets a linear map do the activation and the sum with a residual that follow it, while each of its results is still in
 * the cache. In training what an activation is given is needed again by its gradient, and is not fused.
 *
 * Worth, on wasm: ViT-Ti holds a third less (activations of 0.91 MB instead of 1.36 with one image, 7.3 instead of 10.9
 * with eight), at the same speed with one thread and 1.02 times faster with two.
 */
export const fuseLinear = rewriting({
  gelu: (node, original, graph) => activated(node, original, graph, node.attributes.form),
  relu: (node, original, graph) => activated(node, original, graph, 'relu'),
  multiply: (node, original, graph) => {
    const at = node.inputs.findIndex((t, i) => isOp(t, 'sigmoid') && t.inputs[0] === node.inputs[1 - i] && isUsed(original, i, 1, graph) && isUsed(original, 1 - i, 2, graph))
    const map = at < 0 ? undefined : epilogueOf(node.inputs[1 - at]!)
    return map?.activation === 'none' && map.residual === undefined ? made(map, { activation: 'silu' }) : node
  },
  add: (node, original, graph) => {
    for (const at of [1, 0]) {
      const [branch, residual] = [node.inputs[at]!, node.inputs[1 - at]!]
      const map = isUsed(original, at, 1, graph) && [branch, residual].every(t => sameShape(t.shape, node.shape) && t.batched === node.batched) ? epilogueOf(branch) : undefined
      if (map !== undefined && map.residual === undefined) return made(map, { residual })
    }
    return node
  },
})

const isUsed = ({ inputs }: Tensor, i: number, times: number, graph: Listing): boolean => graph.uses.get(inputs[i]!) === times

const activated = (node: Tensor, original: Tensor, graph: Listing, activation: FusedActivation): Tensor => {
  const map = isUsed(original, 0, 1, graph) ? epilogueOf(node.inputs[0]!) : undefined
  return map?.activation === 'none' && map.residual === undefined ? made(map, { activation }) : node
}

interface LinearMap {
  readonly x: Tensor
  readonly weight: Tensor
  readonly bias: Tensor | undefined
  readonly activation: FusedActivation
  readonly residual: Tensor | undefined
}

const epilogueOf = (t: Tensor): LinearMap | undefined => {
  if (isOp(t, 'linear')) return { x: t.inputs[0]!, weight: t.inputs[1]!, bias: t.inputs[2], activation: 'none', residual: undefined }
  if (!isOp(t, 'fusedLinear')) return undefined
  const { activation, residual } = t.attributes
  return { ...linearOperands(t.inputs, residual), activation }
}

const made = ({ x, weight, ...epilogue }: LinearMap, more: { readonly activation?: FusedActivation; readonly residual?: Tensor }): Tensor => ops.fusedLinear(x, weight, { ...epilogue, ...more })
