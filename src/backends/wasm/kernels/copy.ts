import type { TensorInfo } from '@tensorflow/tfjs-core'
import { denseStrides, showShape, sizeOf } from './axes.js'
import type { Implementation, Inputs } from './implementation.js'
import type { Kernels } from './instance.js'

const BYTES = 4
const RANK = 6

/** One axis of a copy: its size, and its stride in the source and in the dense destination. */
interface Axis {
  readonly size: number
  readonly from: number
  readonly to: number
}

/** The block of x that starts at `begin` and has `size` (−1: the rest of the axis). */
export const slice: Implementation = (kernels, inputs, attrs) => {
  const x = wordTensor('VitrailSlice', inputs)
  const begin = integers('VitrailSlice', 'begin', attrs.begin, x)
  const size = integers('VitrailSlice', 'size', attrs.size, x).map((n, axis) =>
    n === -1 ? (x.shape[axis] ?? 0) - (begin[axis] ?? 0) : n,
  )
  if (size.some((n, axis) => n < 0 || (begin[axis] ?? 0) < 0 || n + (begin[axis] ?? 0) > (x.shape[axis] ?? 0))) {
    const block = `${showShape(size)} from ${showShape(begin)}`
    throw new Error(`VitrailSlice: the block of ${block} is not inside ${showShape(x.shape)}`)
  }
  const strides = denseStrides(x.shape)
  const offset = begin.reduce((sum, at, axis) => sum + at * (strides[axis] ?? 0), 0)
  return copy(kernels, 'VitrailSlice', x, size, strides, offset)
}

/** x with its axes in the order `perm`. */
export const transpose: Implementation = (kernels, inputs, attrs) => {
  const x = wordTensor('VitrailTranspose', inputs)
  const perm = integers('VitrailTranspose', 'perm', attrs.perm, x)
  if (x.shape.some((_, axis) => !perm.includes(axis))) {
    throw new Error(`VitrailTranspose: perm ${showShape(perm)} is not an order of the axes of ${showShape(x.shape)}`)
  }
  const strides = denseStrides(x.shape)
  const inOrder = (values: readonly number[]): number[] => perm.map((axis) => values[axis] ?? 0)
  return copy(kernels, 'VitrailTranspose', x, inOrder(x.shape), inOrder(strides), 0)
}

/** A new dense tensor of `shape` whose elements lie in x at `offset` and `strides`. */
const copy = (
  kernels: Kernels, kernel: string, x: TensorInfo, shape: readonly number[], strides: readonly number[], offset: number,
): TensorInfo => {
  const axes = planOf(shape, strides)
  if (axes.length > RANK) throw new Error(`${kernel}: more than ${RANK} axes that do not merge: ${showShape(x.shape)}`)
  const plan = kernels.scratch(3 * RANK * BYTES)
  const out = kernels.output(shape, x.dtype)
  if (sizeOf(shape) === 0) return out
  const padded = [...Array<Axis>(RANK - axes.length).fill({ size: 1, from: 0, to: 0 }), ...axes]
  kernels.writeInts(plan, [...padded.map((a) => a.size), ...padded.map((a) => a.from), ...padded.map((a) => a.to)])
  kernels.native.stridedCopy(kernels.address(x) + offset * BYTES, kernels.address(out), plan)
  return out
}

/**
 * The fewest axes that describe the copy: axes of size 1 dropped, neighbours merged where the source walks them as one
 * run. The axis contiguous in the destination comes last; where another one is contiguous in the source, it comes just
 * before it, so that the kernel can move 4×4 blocks between the two.
 */
export const planOf = (shape: readonly number[], strides: readonly number[]): Axis[] => {
  const dense = denseStrides(shape)
  const axes: Axis[] = []
  shape.forEach((size, i) => {
    if (size === 1) return
    const axis: Axis = { size, from: strides[i] ?? 0, to: dense[i] ?? 0 }
    const outer = axes.at(-1)
    if (outer !== undefined && outer.from === size * axis.from) {
      axes[axes.length - 1] = { ...axis, size: outer.size * size }
    } else axes.push(axis)
  })
  if (axes.length === 0) return [{ size: 1, from: 1, to: 1 }]
  const last = axes.length - 1
  const contiguous = axes.findIndex((axis) => axis.from === 1)
  if (contiguous >= 0 && contiguous < last) axes.splice(last - 1, 0, ...axes.splice(contiguous, 1))
  return axes
}

/** The input x, of any dtype whose elements have four bytes: they are moved, never computed with. */
const wordTensor = (kernel: string, { x }: Inputs): TensorInfo => {
  if (x === undefined) throw new Error(`${kernel}: the input x is missing`)
  if (x.dtype !== 'float32' && x.dtype !== 'int32') throw new Error(`${kernel}: x must be float32 or int32, but is ${x.dtype}`)
  return x
}

const integers = (kernel: string, name: string, value: unknown, { shape }: TensorInfo): number[] => {
  if (!Array.isArray(value) || value.length !== shape.length || !value.every(Number.isInteger)) {
    throw new Error(`${kernel}: ${name} must have one integer for each axis of ${showShape(shape)}`)
  }
  return value as number[]
}
