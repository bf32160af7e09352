import { sameShape, show, type Shape } from '../shape/shape.js'
import { padRank } from './axes.js'
import { linear } from './contractions.js'
import { demand, node } from './node.js'
import type { Activation, Attributes, ElementwiseStep, Tensor } from './tensor.js'

/** What a `fusedLinear` does beside its product. */
export interface Epilogue {
  readonly bias?: Tensor | undefined
  /** Default `none`. */
  readonly activation?: Activation
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
  demand(residual === undefined || (sameShape(residual.shape, shape) && residual.batched === batched), `fusedLinear: ${show(shape)} does not add to ${show(residual?.shape ?? [])}`)
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
  const shape = [...leading, tokens, dim]
  if (bias === undefined) return node('packedAttention', [qkv], { numHeads, scale }, shape)
  const shift = padRank(bias, leading.length + 3)
  const fits = shift.shape.length === leading.length + 3 && sameShape(shift.shape.slice(-3), [numHeads, tokens, tokens]) && leading.every((size, axis) => shift.shape[axis] === size || shift.shape[axis] === 1)
  demand(fits, `attention: a bias of ${show(bias.shape)} is not heads×queries×keys`)
  return node('packedAttention', [qkv, shift], { numHeads, scale }, shape)
}

/**
 * The gradient of `packedAttention` without bias, given that of its result: `qkv [..., tokens, 3·dim]`,
 * `dy [..., tokens, dim]` → `[..., tokens, 3·dim]`. The weights of attention are computed again, and never kept.
 *
 * @example
 * ops.packedAttentionGradient(ops.input('qkv', [7, 24]), ops.input('dy', [7, 8]), { numHeads: 2, scale: 0.5 }).shape // [7, 24]
 */
export const packedAttentionGradient = (qkv: Tensor, dy: Tensor, { numHeads, scale }: Attributes['packedAttentionGradient']): Tensor<'packedAttentionGradient'> => {
  const [leading, [tokens, dim]] = packed(qkv, numHeads)
  demand(sameShape(dy.shape, [...leading, tokens, dim]) && dy.batched === qkv.batched, `packedAttentionGradient: a gradient of ${show(dy.shape)} is not of what ${show(qkv.shape)} makes`)
  return node('packedAttentionGradient', [qkv, dy], { numHeads, scale }, qkv.shape)
}

const packed = (qkv: Tensor, numHeads: number): readonly [Shape, readonly [number, number]] => {
  const [tokens = 0, width = 0] = qkv.shape.slice(-2)
  demand(qkv.shape.length >= 2 && width % (3 * numHeads) === 0, `attention: ${show(qkv.shape)} is not queries, keys and values of ${numHeads} heads`)
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
  const dim = x.shape.at(-1)
  demand(dim !== undefined && dim % numGroups === 0, `groupNorm: ${show(x.shape)} does not have channels for ${numGroups} groups`)
  for (const t of [gamma, beta]) demand(sameShape(t.shape, [dim!]) && !t.batched, `groupNorm: ${show(t.shape)} is not one number for each of ${dim} channels`)
  return node('groupNorm', [x, gamma, beta], { numGroups, epsilon, activation }, x.shape)
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
  demand(lined.every(x => x.shape.every((size, axis) => size === shape[axis] || size === 1)), `elementwise: ${inputs.map(x => show(x.shape)).join(' and ')} do not broadcast`)
  demand(steps.length > 0 && steps.every(({ of }, at) => of.every(i => i >= 0 && i < inputs.length + at)), 'elementwise: a step has operands that come after it')
  return node('elementwise', lined, { steps }, shape)
}
