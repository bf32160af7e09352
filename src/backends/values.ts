import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { isTensor, type Signal, type Tensor } from '../ops/tensor.js'
import { problem, type Problem } from '../shape/problem.js'
import { show, sizeOf, type DType, type Integers, type Shape, type SomeSignal } from '../shape/shape.js'
import type { TensorLike, Values } from './device.js'

/** What a program takes for an input of shape `I`: any number of samples, one after the other. */
export type InputOf<I> = I extends Shape ? Float32Array | TensorLike : I extends Integers ? Int32Array | TensorLike : { readonly [K in keyof I]: InputOf<I[K]> }

/** What a program gives for an output of shape `S`: tfjs tensors where it was given tfjs tensors, else typed arrays. */
export type ResultOf<S, X> = S extends Shape ? Leaf<X, Float32Array> : S extends Integers ? Leaf<X, Int32Array> : S extends SomeSignal ? Leaf<X, Values> | Readonly<Record<string, unknown>> : { readonly [K in keyof S]: ResultOf<S[K], X> }
type Leaf<X, A> = X extends TensorLike ? X : X extends Values ? A : X extends Readonly<Record<string, unknown>> ? Leaf<X[keyof X], A> : A

/** One input tensor with a copy of what it was given. */
export interface Feed {
  readonly node: Tensor<'input'>
  readonly values: Promise<Values>
}

/** What a run is fed, matched with the inputs of its graph and copied. */
export interface Fed {
  readonly feeds: readonly Feed[]
  readonly batch: number
  readonly asTensors: boolean
}

/** Whether a value is a tfjs tensor. */
const isTensorLike = (value: unknown): value is TensorLike => {
  const tensor = value as Partial<TensorLike> | null
  return typeof value === 'object' && tensor !== null && typeof tensor.dataId === 'object' && Array.isArray(tensor.shape) && typeof tensor.data === 'function'
}

/**
 * Matches what a caller gave with the inputs of a graph, copies it, so that it may be written to or disposed of
 * from now on, and finds the batch size. Errors: `inputMisfit` (a missing or unknown field, a wrong kind of
 * array, a length that is no whole number of samples, batch sizes that differ).
 */
export const feeds = (inputs: Signal, given: unknown): Either<Problem, Fed> => {
  const found: Feed[] = []
  let batch: number | undefined
  let asTensors = false
  const wrong = match(inputs, given, 'input', (node, value, path) => {
    const count = samples(node, value)
    if (count === undefined) return misfit(`${path}: expects ${node.dtype === 'int32' ? 'integers' : 'floats'} for whole samples of ${show(node.shape)} (${sizeOf(node.shape)} numbers each), got ${describe(value)}`)
    if (batch !== undefined && batch !== count) return misfit(`${path}: has ${count} samples, but another input has ${batch}`)
    batch = count
    asTensors ||= isTensorLike(value)
    found.push({ node, values: copied(node, value) })
    return undefined
  })
  return wrong === undefined ? right({ feeds: found, batch: batch ?? 1, asTensors }) : left(wrong)
}

const copied = (node: Tensor, value: Values | TensorLike): Promise<Values> => {
  const values = isTensorLike(value) ? Promise.resolve(value.data()).then(read => (node.dtype === 'int32' ? Int32Array.from(read) : Float32Array.from(read))) : Promise.resolve(value.slice())
  // It is awaited when the run's turn comes; until then a failure is nobody's.
  values.catch(() => undefined)
  return values
}

/** Values as a tfjs tensor that the caller owns. */
export const toTensor = async (values: Values, shape: Shape, dtype: DType): Promise<TensorLike> => {
  const { tensor } = await import('@tensorflow/tfjs-core')
  return tensor(values, [...shape], dtype)
}

const misfit = (sentence: string): Problem => problem('inputMisfit', sentence)

const match = (signal: Signal, given: unknown, path: string, visit: (node: Tensor<'input'>, value: Values | TensorLike, path: string) => Problem | undefined): Problem | undefined => {
  if (isTensor(signal)) {
    if (given instanceof Float32Array || given instanceof Int32Array || isTensorLike(given)) return visit(signal as Tensor<'input'>, given, path)
    return misfit(`${path}: expects a ${signal.dtype === 'int32' ? 'Int32Array' : 'Float32Array'} or a tfjs tensor, got ${describe(given)}`)
  }
  if (typeof given !== 'object' || given === null) return misfit(`${path}: expects a record of ${Object.keys(signal).join(', ')}, got ${describe(given)}`)
  const unknown = Object.keys(given).find(name => !(name in signal))
  if (unknown !== undefined) return misfit(`${path}: there is no input called ${unknown}; there are ${Object.keys(signal).join(', ')}`)
  for (const [name, field] of Object.entries(signal)) {
    const wrong = match(field, (given as Record<string, unknown>)[name], `${path}.${name}`, visit)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

/** How many samples a value holds, or nothing where it is no whole number of them. */
const samples = (node: Tensor, value: Values | TensorLike): number | undefined => {
  if (isTensorLike(value)) {
    const fits = value.dtype === node.dtype && value.shape.length === node.shape.length + 1 && node.shape.every((size, i) => size === value.shape[i + 1]) && value.shape[0]! > 0
    return fits ? value.shape[0] : undefined
  }
  if ((node.dtype === 'int32') !== value instanceof Int32Array) return undefined
  const count = value.length / sizeOf(node.shape)
  return Number.isInteger(count) && count > 0 ? count : undefined
}

const describe = (value: unknown): string => {
  if (isTensorLike(value)) return `a ${value.dtype} tensor of ${value.shape.join('×')}`
  if (ArrayBuffer.isView(value) && 'length' in value) return `a ${value.constructor.name} of ${value.length}`
  return value === undefined ? 'nothing' : Array.isArray(value) ? 'an ordinary array' : `a ${typeof value}`
}
