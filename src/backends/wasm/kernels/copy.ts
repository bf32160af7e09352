import type { TensorInfo } from '@tensorflow/tfjs-core'
import { denseStrides, sizeOf } from '../../../shape/shape.js'
import { showShape } from './axes.js'
import { operand, type Implementation, type Inputs } from './implementation.js'
import type { Kernels } from './kernels.js'
import { CHANNEL_BLOCK, FILL_RUN } from './native.js'

const BYTES = 4

/** One axis of a copy: its size, and its stride in the source and in the destination. */
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
  return copy(kernels, x, size, strides, offset)
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
  return copy(kernels, x, inOrder(x.shape), inOrder(strides), 0)
}

/** A new dense tensor of `shape` whose elements lie in x at `offset` and `strides`. */
const copy = (kernels: Kernels, x: TensorInfo, shape: readonly number[], strides: readonly number[], offset: number): TensorInfo => {
  const move = moveOf(shape, strides, denseStrides(shape))
  const scratch = kernels.scratch(move.ints.length * BYTES)
  const out = kernels.output(shape, x.dtype)
  runMove(kernels, move, kernels.address(x) + offset * BYTES, kernels.address(out), scratch)
  return out
}

/** x repeated `reps` times along each axis. */
export const tile: Implementation = (kernels, inputs, attrs) => {
  const x = wordTensor('VitrailTile', inputs)
  const reps = integers('VitrailTile', 'reps', attrs.reps, x)
  const strides = denseStrides(x.shape)
  const split = (repeated: readonly number[], own: readonly number[]): number[] => reps.flatMap((n, axis) => (n === 1 ? [own[axis]!] : [repeated[axis]!, own[axis]!]))
  const out = copy(kernels, x, split(reps, x.shape), split(reps.map(() => 0), strides), 0)
  return { ...out, shape: x.shape.map((size, axis) => size * reps[axis]!) }
}

/** x inside zeros: `paddings` says how many before and after it along each axis. */
export const pad: Implementation = (kernels, inputs, { paddings, constantValue = 0 }) => {
  const x = wordTensor('VitrailPad', inputs)
  const around = paddings as readonly (readonly [number, number])[]
  const shape = x.shape.map((size, axis) => around[axis]![0] + size + around[axis]![1])
  const into = denseStrides(shape)
  const move = moveOf(x.shape, denseStrides(x.shape), into)
  const scratch = kernels.scratch(move.ints.length * BYTES)
  const out = kernels.output(shape, x.dtype)
  const size = sizeOf(shape)
  kernels.run('fill', Math.ceil(size / FILL_RUN), size / 8, kernels.address(out), size, Number(constantValue))
  runMove(kernels, move, kernels.address(x), kernels.address(out) + into.reduce((sum, stride, axis) => sum + stride * around[axis]![0], 0) * BYTES, scratch)
  return out
}

/** Tensors one after the other along an axis. */
export const concat: Implementation = (kernels, inputs, { axis: along }) => {
  const axis = Number(along)
  const parts = Object.values(inputs).map(x => wordTensor('VitrailConcat', { x }))
  const shape = parts[0]!.shape.map((size, i) => (i === axis ? parts.reduce((total, x) => total + x.shape[axis]!, 0) : size))
  const into = denseStrides(shape)
  const moves = parts.map(x => moveOf(x.shape, denseStrides(x.shape), into))
  const scratch = kernels.scratch(Math.max(...moves.map(({ ints }) => ints.length)) * BYTES)
  const out = kernels.output(shape, parts[0]!.dtype)
  let at = kernels.address(out)
  parts.forEach((x, i) => {
    runMove(kernels, moves[i]!, kernels.address(x), at, scratch)
    at += x.shape[axis]! * into[axis]! * BYTES
  })
  return out
}

/** Rows of a table `[rows, ...]` by the numbers in `indices` `[count]`: `[count, ...]`. */
export const gather: Implementation = (kernels, inputs) => {
  const [table, indices] = [wordTensor('VitrailGather', inputs), wordTensor('VitrailGather', { x: inputs.indices })]
  const [count, width] = [sizeOf(indices.shape), sizeOf(table.shape.slice(1))]
  const y = kernels.output([count, ...table.shape.slice(1)], table.dtype)
  kernels.run('gatherRows', count, (count * width) / 4, kernels.address(table), kernels.address(indices), kernels.address(y), width)
  return y
}

/** Zeros `[rows, width]`, to whose row `indices[i]` row i of `updates` `[count, width]` is added. */
export const scatterAdd: Implementation = (kernels, inputs, { shape: given }) => {
  const [updates, indices] = [operand('VitrailScatterAdd', inputs, 'updates'), wordTensor('VitrailScatterAdd', { x: inputs.indices })]
  const shape = given as readonly number[]
  const [count, width] = [sizeOf(indices.shape), sizeOf(shape.slice(1))]
  const y = kernels.output(shape)
  const size = sizeOf(shape)
  kernels.run('fill', Math.ceil(size / FILL_RUN), size / 8, kernels.address(y), size, 0)
  kernels.run('scatterAdd', Math.ceil(width / CHANNEL_BLOCK), (count * width) / 2, kernels.address(updates), kernels.address(indices), kernels.address(y), count, width)
  return y
}

/** Where each element of the sorted last axis came from, equal ones in their order; the largest first where `descending`. */
export const argsort: Implementation = (kernels, inputs, { descending }) => {
  const x = wordTensor('VitrailArgsort', inputs)
  const width = x.shape.at(-1) ?? 1
  const y = kernels.output(x.shape, 'int32')
  const [from, to] = [kernels.values(x), kernels.values(y)]
  for (let at = 0; at < from.length; at += width) {
    const row = from.subarray(at, at + width)
    const order = Array.from(row, (_, i) => i)
    to.set(order.sort(descending === true ? (a, b) => row[b]! - row[a]! : (a, b) => row[a]! - row[b]!), at)
  }
  return y
}

/** A copy in the form that `CopyPlan` of `native/copy.h` reads, and the number of its units. */
interface Move {
  readonly ints: readonly number[]
  readonly units: number
  readonly size: number
}

const moveOf = (shape: readonly number[], from: readonly number[], to: readonly number[]): Move => {
  const axes = planOf(shape, from, to)
  const columns = axes.at(-1)!
  const rows = axes.at(-2) ?? { size: 1, from: 0, to: 0 }
  const outer = axes.slice(0, -2)
  const size = sizeOf(shape)
  return { ints: [rows.size, columns.size, rows.from, columns.from, rows.to, outer.length, ...outer.flatMap(axis => [axis.size, axis.from, axis.to])], units: size === 0 ? 0 : size / columns.size, size }
}

const runMove = (kernels: Kernels, { ints, units, size }: Move, from: number, to: number, plan: number): void => {
  kernels.writeInts(plan, ints)
  kernels.run('stridedCopy', units, size / 2, from, to, plan)
}

/**
 * The fewest axes that describe the copy: axes of size 1 dropped, neighbours merged where both sides walk them as one
 * run. The axis contiguous in the destination comes last; where another one is contiguous in the source, it comes just
 * before it, so that the kernel can move 4×4 blocks between the two.
 */
export const planOf = (shape: readonly number[], from: readonly number[], to: readonly number[]): Axis[] => {
  const axes: Axis[] = []
  shape.forEach((size, i) => {
    if (size === 1) return
    const axis: Axis = { size, from: from[i] ?? 0, to: to[i] ?? 0 }
    const outer = axes.at(-1)
    if (outer !== undefined && outer.from === size * axis.from && outer.to === size * axis.to) {
      axes[axes.length - 1] = { ...axis, size: outer.size * size }
    } else axes.push(axis)
  })
  // the destination of the last one must be one run, if only of one element
  if (axes.at(-1)?.to !== 1) axes.push({ size: 1, from: 1, to: 1 })
  const last = axes.length - 1
  const contiguous = axes.findIndex((axis) => axis.from === 1)
  if (contiguous >= 0 && contiguous < last - 1) axes.splice(last - 1, 0, ...axes.splice(contiguous, 1))
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
