import type { TensorInfo } from '@tensorflow/tfjs-core'
import { sameShape, sizeOf } from '../../../shape/shape.js'
import { foldAxes } from '../../tfjs/foldAxes.js'
import { broadcastLeading } from './axes.js'
import { codeOf, operand, type Implementation } from './implementation.js'
import type { Kernels } from './kernels.js'
import { binaryCodes, RUN, unaryCodes } from './native.js'

const BYTES = 4

/** fn(x), element by element. */
export const unary: Implementation = (kernels, inputs, { fn }) => {
  const name = 'VitrailUnary'
  const x = operand(name, inputs, 'x')
  const code = codeOf(name, unaryCodes, fn)
  const size = sizeOf(x.shape)
  const y = kernels.output(x.shape)
  kernels.run('unary', Math.ceil(size / RUN), size, kernels.address(x), kernels.address(y), size, code)
  return y
}

/** fn(a, b), element by element; axes of size 1, or absent in front, are repeated. */
export const binary: Implementation = (kernels, inputs, { fn }) => {
  const name = 'VitrailBinary'
  const [a, b] = [operand(name, inputs, 'a'), operand(name, inputs, 'b')]
  const code = codeOf(name, binaryCodes, fn)
  const shape = sameShape(a.shape, b.shape) ? a.shape : broadcastLeading(name, [a.shape, b.shape])
  const { run, ints } = meetingOf(a.shape, b.shape, shape)
  const meeting = kernels.scratch(ints.length * BYTES)
  const y = kernels.output(shape)
  const size = sizeOf(shape)
  kernels.writeInts(meeting, ints)
  kernels.run('binary', size === 0 ? 0 : (size / run) * Math.ceil(run / RUN), size / 2, kernels.address(a), kernels.address(b), kernels.address(y), meeting, code)
  return y
}

/** How two shapes meet, as few axes as can be: what `Meeting` of `native/pointwise.h` reads. */
const meetingOf = (a: readonly number[], b: readonly number[], shape: readonly number[]): { readonly run: number; readonly ints: readonly number[] } => {
  if (a === shape || sizeOf(shape) === 0) return { run: sizeOf(shape), ints: [sizeOf(shape), 1, 1, 0] }
  const whole = (own: readonly number[]): number[] => [...Array<number>(shape.length - own.length).fill(1), ...own]
  const [left, right] = foldAxes(whole(a), whole(b))
  const axes = left.map((size, axis) => ({ size: Math.max(size, right[axis]!), aStride: stride(left, axis), bStride: stride(right, axis) }))
  const inner = axes.pop() ?? { size: 1, aStride: 1, bStride: 1 }
  return { run: inner.size, ints: [inner.size, inner.aStride, inner.bStride, axes.length, ...axes.flatMap(({ size, aStride, bStride }) => [size, aStride, bStride])] }
}
const stride = (own: readonly number[], axis: number): number => (own[axis] === 1 ? 0 : sizeOf(own.slice(axis + 1)))

/** fn(x) in plain TypeScript, for what is rare. */
export const slowly = (kernels: Kernels, x: TensorInfo, fn: (value: number) => number): TensorInfo => {
  const y = kernels.output(x.shape, x.dtype)
  const [from, to] = [kernels.values(x), kernels.values(y)]
  for (let i = 0; i < to.length; i++) to[i] = fn(from[i]!)
  return y
}
