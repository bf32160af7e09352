import type { TensorInfo } from '@tensorflow/tfjs-core'
import { sizeOf } from '../../../shape/shape.js'
import { codeOf, expectShape, operand, optionalOperand, type Implementation } from './implementation.js'
import type { Kernels } from './kernels.js'
import { CHANNEL_BLOCK, PLACES, RUN, unaryCodes } from './native.js'
import { leftBytes, multiply, packLeft, packRight, rightBytes, tileBytes } from './products.js'

const BYTES = 4

/** x and its gradient, of one shape, and the rows of their last axis. */
const pairOf = (kernel: string, inputs: Parameters<Implementation>[1], name: string): { readonly x: TensorInfo; readonly dy: TensorInfo; readonly rows: number; readonly width: number } => {
  const [x, dy] = [operand(kernel, inputs, name), operand(kernel, inputs, 'dy')]
  expectShape(kernel, 'dy', dy, x.shape)
  return { x, dy, rows: sizeOf(x.shape.slice(0, -1)), width: x.shape.at(-1) ?? 1 }
}

/** dy times the derivative of the GELU `fn` at x. */
export const geluGradient: Implementation = (kernels, inputs, { fn }) => {
  const { x, dy } = pairOf('VitrailGeluGradient', inputs, 'x')
  const code = codeOf('VitrailGeluGradient', unaryCodes, fn)
  const dx = kernels.output(x.shape)
  const size = sizeOf(x.shape)
  kernels.run('geluGradient', Math.ceil(size / RUN), 2 * size, kernels.address(x), kernels.address(dy), kernels.address(dx), size, code)
  return dx
}

/** y · (dy − Σ y·dy) over the last axis. */
export const softmaxGradient: Implementation = (kernels, inputs) => {
  const { x: y, dy, rows, width } = pairOf('VitrailSoftmaxGradient', inputs, 'y')
  const dx = kernels.output(y.shape)
  kernels.run('softmaxGradient', rows, rows * width, kernels.address(y), kernels.address(dy), kernels.address(dx), width)
  return dx
}

/** The gradient of layer norm for its input x `[..., C]`, with the scale gamma `[C]` if it has one. */
export const layerNormGradient: Implementation = (kernels, inputs, { epsilon }) => {
  const name = 'VitrailLayerNormGradient'
  const { x, dy, rows, width } = pairOf(name, inputs, 'x')
  const gamma = optionalOperand(name, inputs, 'gamma')
  if (typeof epsilon !== 'number') throw new Error(`${name}: epsilon must be a number`)
  if (gamma !== undefined) expectShape(name, 'gamma', gamma, [width])
  const dx = kernels.output(x.shape)
  kernels.run('layerNormGradient', rows, 2 * rows * width, kernels.address(x), kernels.address(dy), gamma === undefined ? 0 : kernels.address(gamma), kernels.address(dx), width, epsilon)
  return dx
}

/** The gradient of group norm for its input x `[images, ..., C]`, with the scale gamma `[C]`; see `groupNorm` in rows.ts. */
export const groupNormGradient: Implementation = (kernels, inputs, { numGroups, epsilon }) => {
  const name = 'VitrailGroupNormGradient'
  const { x, dy } = pairOf(name, inputs, 'x')
  const gamma = operand(name, inputs, 'gamma')
  const [images = 0, channels = 0, groups] = [x.shape[0], x.shape.at(-1), Number(numGroups)]
  if (x.shape.length < 2 || channels % groups !== 0) throw new Error(`${name}: x must be images with channels for ${groups} groups`)
  expectShape(name, 'gamma', gamma, [channels])
  const places = sizeOf(x.shape.slice(1, -1))
  const moments = kernels.scratch(2 * images * 2 * channels * BYTES, kernels.native.groupNormGradientScratchBytes(channels))
  const slopes = moments + images * 2 * channels * BYTES
  const dx = kernels.output(x.shape)
  if (sizeOf(x.shape) === 0) return dx
  const [at, dyAt, size, blocks] = [kernels.address(x), kernels.address(dy), images * places * channels, images * Math.ceil(channels / CHANNEL_BLOCK)]
  kernels.run('channelMoments', blocks, size / 4, at, moments, places, channels)
  kernels.run('channelSlopes', blocks, size / 4, at, dyAt, moments, slopes, places, channels)
  kernels.run('groupNormGradient', images * Math.ceil(places / PLACES), size / 4, at, dyAt, moments, slopes, kernels.address(gamma), kernels.address(dx), places, channels, groups, Number(epsilon))
  return dx
}

/** dyᵀ x over all rows: x `[..., in]` and dy `[..., out]` → `[out, in]`. */
export const weightGradient: Implementation = (kernels, inputs) => {
  const name = 'VitrailWeightGradient'
  const [x, dy] = [operand(name, inputs, 'x'), operand(name, inputs, 'dy')]
  const [inner, out] = [x.shape.at(-1), dy.shape.at(-1)]
  if (inner === undefined || out === undefined) throw new Error(`${name}: x and dy need at least one axis`)
  expectShape(name, 'dy', dy, [...x.shape.slice(0, -1), out])
  const rows = sizeOf(x.shape.slice(0, -1))
  const scratch = kernels.scratch(weightGradientBytes(out, inner, rows), tileBytes)
  const dw = kernels.output([out, inner])
  addWeightGradient(kernels, { dy: { at: kernels.address(dy), stride: out, width: out }, x: { at: kernels.address(x), stride: inner, width: inner }, rows, dw: kernels.address(dw), accumulate: false }, scratch)
  return dw
}

/** As many rows are packed at one time, so that scratch does not grow with their number. */
const ROWS = 2048

/** Rows of `width` numbers, `stride` elements apart. */
interface Rows {
  readonly at: number
  readonly stride: number
  readonly width: number
}

/** The scratch of {@link addWeightGradient}. */
export const weightGradientBytes = (out: number, inner: number, rows: number): number => rightBytes(Math.min(ROWS, rows), inner) + leftBytes(out, Math.min(ROWS, rows))

/** dw `[out, in]` = dyᵀ x over rows, added to what is there where `accumulate`. */
export const addWeightGradient = (kernels: Kernels, { dy, x, rows, dw, accumulate }: { readonly dy: Rows; readonly x: Rows; readonly rows: number; readonly dw: number; readonly accumulate: boolean }, scratch: number): void => {
  const left = scratch + rightBytes(Math.min(ROWS, rows), x.width)
  let first = 0
  do { // once even where there are no rows: the sums are then zeros
    const k = Math.min(ROWS, rows - first)
    packRight(kernels, { at: x.at + first * x.stride * BYTES, rowStride: x.stride, columnStride: 1 }, k, x.width, scratch)
    const pack = packLeft(kernels, { at: dy.at + first * dy.stride * BYTES, rowStride: 1, columnStride: dy.stride }, k)
    multiply(kernels, { m: dy.width, k, n: x.width, right: scratch, out: dw, accumulate: accumulate || first > 0 }, pack, left)
    first += k
  } while (first < rows)
}
