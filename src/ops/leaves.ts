import { show, sizeOf, type DType, type Shape } from '../shape/shape.js'
import type { Initialiser } from './initialiser.js'
import { demand, node } from './node.js'
import type { ParameterRole, Tensor } from './tensor.js'

/**
 * An input of the model, batched, by the name under which it is fed: `shape` of each sample.
 *
 * @example
 * ops.input('x', [224, 224, 3]).batched // true
 */
export const input = (name: string, shape: Shape, dtype: DType = 'float32'): Tensor<'input'> => node('input', [], { name }, shape, dtype, true)

/**
 * A named weight, unbatched, float32.
 *
 * @example
 * ops.parameter('head.bias', [10], { kind: 'zeros' }).attributes.role // 'trained'
 */
export const parameter = (name: string, shape: Shape, initialiser: Initialiser, role: ParameterRole = 'trained'): Tensor<'parameter'> =>
  node('parameter', [], { name, initialiser, role }, shape)

/**
 * Fixed values, unbatched, row by row.
 *
 * @example
 * ops.constant(Int32Array.of(3, 1, 2), [3]).dtype // 'int32'
 */
export const constant = (data: Float32Array | Int32Array, shape: Shape): Tensor<'constant'> => {
  demand(data.length === sizeOf(shape), () => `constant: ${data.length} values do not fill ${show(shape)}`)
  return node('constant', [], { data }, shape, data instanceof Int32Array ? 'int32' : 'float32')
}

/**
 * A single fixed number, shape `[]`.
 *
 * @example
 * ops.scalar(2).shape // []
 */
export const scalar = (value: number): Tensor<'constant'> => constant(Float32Array.of(value), [])

/**
 * A batched inverted-dropout mask. Masks of one stream are alike in one run, so where memory is short it can be drawn
 * again: one that has `awaited` is not drawn before that has been computed, nor taken for one that has not.
 *
 * @example
 * ops.dropMask('blocks.0.drop', 0.9, [197, 192]).batched // true
 */
export const dropMask = (stream: string, keep: number, shape: Shape, awaited?: Tensor): Tensor<'dropMask'> => node('dropMask', awaited === undefined ? [] : [awaited], { stream, keep }, shape, 'float32', true)
