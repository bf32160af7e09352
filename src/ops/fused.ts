import { sameShape, show, type Shape } from '../shape/shape.js'
import { padRank } from './axes.js'
import { linear } from './contractions.js'
import { demand, node } from './node.js'
import type { FusedActivation, Attributes, ElementwiseStep, Tensor } from './tensor.js'

/** What a `fusedLinear` does beside its product. */
export interface Epilogue {
  readonly bias?: Tensor | undefined
  /** Default `none`. */
  readonly activation?: FusedActivation
  /** Added last. */
  readonly residual?: Tensor | undefined
}

/**
 * `activation(x weightᵀ + bias) + residual` in one go: `x [..., in]`, weight `[out, in]`, bias `[out]`, residual
 * `[..., out]` → `[..., out]`.
 *
 * @example
 * ops.fusedLinear(ops.input('x', [7, 4]), ops.parameter('w', [5, 4], { kind: 'zeros' }), { activation: 'erf' }).shape // [7, 5]
 */
export const fusedLinear = (x: Tensor, weight: Tensor, { bias, activation = 'none', residual }: Epilogue = {}): Tensor<'fusedLinear'> => {
  const { shape, inputs, batched } = linear(x, weight, bias)
  demand(residual === undefined || (sameShape(residual.shape, shape) && residual.batched === batched), () => `fusedLinear: ${show(shape)} does not add to ${show(residual?.shape ?? [])}`)
  return node('fusedLinear', residual === undefined ? inputs : [...inputs, residual], { activation, residual: residual !== undefined }, shape)
}

/**
 * Self-attention from one tensor that holds queries, keys and values side by side; see `attention`.
 * `qkv [..., tokens, 3·dim]`, bias `[..., numHeads, tokens, tokens]` → `[..., tokens, dim]`.
 *
 * @example
 * ops.packedAttention(ops.input('qkv', [7, 24]), { numHeads: 2, scale: 0.5 }).shape // [7, 8]
 */
export const packedAttention = (qkv: Tensor, { numHeads, scale }: Attributes['packedAttention'], bias?: Tensor): Tensor<'packedAttention'> => {
  const [leading, [tokens, dim]] = packed(qkv, numHeads)
  const shift = bias === undefined ? [] : [biasOf(bias, leading, numHeads, tokens)]
  return node('packedAttention', [qkv, ...shift], { numHeads, scale }, [...leading, tokens, dim])
}

/** A bias in the rank of the scores, so that the batch axis lines up with the batch axis. */
const biasOf = (bias: Tensor, leading: Shape, numHeads: number, tokens: number): Tensor => {
  const shift = padRank(bias, leading.length + 3)
  const fits = shift.shape.length === leading.length + 3 && sameShape(shift.shape.slice(-3), [numHeads, tokens, tokens]) && leading.every((size, axis) => shift.shape[axis] === size || shift.shape[axis] === 1)
  demand(fits, () => `attention: a bias of ${show(bias.shape)} is not heads×queries×keys`)
  return shift
}

/**
 * The gradient of `packedAttention` for `qkv`, given that of its result: `qkv [..., tokens, 3·dim]`,
 * `dy [..., tokens, dim]`, the bias as it was given there → `[..., tokens, 3·dim]`. The weights of attention are computed
 * again, and never kept. With `scores` the gradient of the scores, which is that of the bias, follows in each query's row,
 * head by head, key by key: `[..., tokens, 3·dim + numHeads·tokens]`.
 *
 * @example
 * ops.packedAttentionGradient(ops.input('qkv', [7, 24]), ops.input('dy', [7, 8]), { numHeads: 2, scale: 0.5 }).shape // [7, 24]
 */
export const packedAttentionGradient = (qkv: Tensor, dy: Tensor, { numHeads, scale, scores = false }: Attributes['packedAttentionGradient'], bias?: Tensor): Tensor<'packedAttentionGradient'> => {
  const [leading, [tokens, dim]] = packed(qkv, numHeads)
  demand(sameShape(dy.shape, [...leading, tokens, dim]) && dy.batched === qkv.batched, () => `packedAttentionGradient: a gradient of ${show(dy.shape)} is not of what ${show(qkv.shape)} makes`)
  demand(qkv.batched || bias?.batched !== true, 'packedAttentionGradient: a bias of each sample needs queries and keys of each sample')
  const shift = bias === undefined ? [] : [biasOf(bias, leading, numHeads, tokens)]
  const width = 3 * dim + (scores ? numHeads * tokens : 0)
  return node('packedAttentionGradient', [qkv, dy, ...shift], { numHeads, scale, scores }, [...leading, tokens, width])
}

const packed = (qkv: Tensor, numHeads: number): readonly [Shape, readonly [number, number]] => {
  const [tokens = 0, width = 0] = qkv.shape.slice(-2)
  demand(qkv.shape.length >= 2 && width % (3 * numHeads) === 0, () => `attention: ${show(qkv.shape)} is not queries, keys and values of ${numHeads} heads`)
  return [qkv.shape.slice(0, -2), [tokens, width / 3]]
}

/**
 * `activation(normalised(x)·gamma + beta)`: zero mean and unit (biased) variance over all places of a sample and the
 * channels of a group. `x [..., dim]`, gamma and beta `[dim]` → `[..., dim]`.
 *
 * @example
 * ops.groupNorm(ops.input('x', [7, 7, 8]), ops.parameter('g', [8], { kind: 'ones' }), ops.parameter('b', [8], { kind: 'zeros' }), { numGroups: 2, epsilon: 1e-5, activation: 'relu' }).shape // [7, 7, 8]
 */
export const groupNorm = (x: Tensor, gamma: Tensor, beta: Tensor, { numGroups, epsilon, activation }: Attributes['groupNorm']): Tensor<'groupNorm'> => {
  demandGroups('groupNorm', x, numGroups, [gamma, beta])
  return node('groupNorm', [x, gamma, beta], { numGroups, epsilon, activation }, x.shape)
}

/**
 * The gradient of `groupNorm` without activation for its input, given that of its result: `x [..., dim]`, `dy [..., dim]`,
 * gamma `[dim]` → `[..., dim]`.
 *
 * @example
 * ops.groupNormGradient(ops.input('x', [7, 7, 8]), ops.input('dy', [7, 7, 8]), ops.parameter('g', [8], { kind: 'ones' }), { numGroups: 2, epsilon: 1e-5 }).shape // [7, 7, 8]
 */
export const groupNormGradient = (x: Tensor, dy: Tensor, gamma: Tensor, { numGroups, epsilon }: Attributes['groupNormGradient']): Tensor<'groupNormGradient'> => {
  demandGroups('groupNormGradient', x, numGroups, [gamma])
  demand(sameShape(x.shape, dy.shape) && x.batched === dy.batched, () => `groupNormGradient: a gradient of ${show(dy.shape)} is not of what is ${show(x.shape)}`)
  return node('groupNormGradient', [x, dy, gamma], { numGroups, epsilon }, x.shape)
}

const demandGroups = (op: string, { shape }: Tensor, numGroups: number, ofChannels: readonly Tensor[]): void => {
  const dim = shape.at(-1)
  demand(dim !== undefined && dim % numGroups === 0, () => `${op}: ${show(shape)} does not have channels for ${numGroups} groups`)
  for (const t of ofChannels) demand(sameShape(t.shape, [dim!]) && !t.batched, () => `${op}: ${show(t.shape)} is not one number for each of ${dim} channels`)
}

/**
 * The sum of the squares of all numbers in one or more tensors, in one pass over each: `[...]… → []`, for each sample
 * where one of them has samples.
 *
 * Worth, for the norm of all gradients, on wasm with one thread: a step of ViT-Ti on 32×32 pixels with one image is 1.1 times
 * faster in processor time, and holds 86 MB at its peak instead of 108.
 *
 * @example
 * ops.squareSum([ops.parameter('w', [2, 3], { kind: 'zeros' }), ops.parameter('b', [3], { kind: 'zeros' })]).shape // []
 */
export const squareSum = (inputs: readonly Tensor[]): Tensor<'squareSum'> => {
  demand(inputs.length > 0, 'squareSum: expects one tensor or more')
  return node('squareSum', inputs, {}, [])
}

/**
 * Elementwise ops in a row, in one pass over memory; the last step is the result. Every input broadcasts to the shape
 * of the whole, `[...]`, which is that of the largest of them together; so is every step's result of that shape.
 *
 * @example
 * ops.elementwise([ops.input('x', [2, 3]), ops.input('y', [3])], [{ op: 'add', of: [0, 1] }, { op: 'relu', of: [2] }]).shape // [2, 3]
 */
export const elementwise = (inputs: readonly Tensor[], steps: readonly ElementwiseStep[]): Tensor<'elementwise'> => {
  const rank = Math.max(...inputs.map(x => x.shape.length))
  const lined = inputs.map(x => padRank(x, rank))
  const shape = Array.from({ length: rank }, (_, axis) => lined.reduce((most, x) => (x.shape[axis] === 1 ? most : x.shape[axis]!), 1))
  demand(lined.every(x => x.shape.every((size, axis) => size === shape[axis] || size === 1)), () => `elementwise: ${inputs.map(x => show(x.shape)).join(' and ')} do not broadcast`)
  demand(steps.length > 0 && steps.every(({ of }, at) => of.every(i => i >= 0 && i < inputs.length + at)), 'elementwise: a step has operands that come after it')
  return node('elementwise', lined, { steps }, shape)
}
