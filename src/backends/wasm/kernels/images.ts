import type { TensorInfo } from '@tensorflow/tfjs-core'
import { sizeOf } from '../../../shape/shape.js'
import { codeOf, expectShape, operand, optionalOperand, type Attributes, type Implementation } from './implementation.js'
import type { Kernels } from './kernels.js'
import { CHANNEL_BLOCK, FILL_RUN, poolCodes } from './native.js'
import { leftBytes, mostTileRows, multiply, packLeft, packRight, packUnits, rightBytes, rightShape, tileBytes } from './products.js'
import { addWeightGradient, weightGradientBytes } from './gradients.js'

const BYTES = 4

/** How a window of a size moves over an image, and how many there are of it. */
interface Geometry {
  readonly images: number
  readonly image: readonly [height: number, width: number, channels: number]
  readonly kernel: readonly [height: number, width: number]
  readonly strides: readonly [number, number]
  /** Zeros above and to the left. */
  readonly begin: readonly [number, number]
  readonly result: readonly [rows: number, columns: number, channels: number]
}

/** What the eleven int32 that `native/images.h` reads take, and what follows them begins with. */
const GEOMETRY_BYTES = 64
const writeGeometry = (kernels: Kernels, at: number, { image, kernel, strides, begin, result }: Geometry): void =>
  kernels.writeInts(at, [...image, ...kernel, ...strides, ...begin, result[0], result[1]])

/** x `[images, height, width, channels]` and dy `[images, rows, columns, out]` under attributes `size`, `strides` and `begin`. */
const geometryOf = (name: string, image: readonly number[], dy: readonly number[], { size, strides, begin }: Attributes): Geometry => {
  const [images, ...place] = image
  const [, ...result] = dy
  if (images === undefined || place.length !== 3 || result.length !== 3 || dy[0] !== images) throw new Error(`${name}: needs images with height, width and channels`)
  const pair = (value: unknown): [number, number] => {
    if (!Array.isArray(value) || value.length !== 2 || !value.every(Number.isInteger)) throw new Error(`${name}: size, strides and begin must be two integers each`)
    return value as [number, number]
  }
  return { images, image: place as [number, number, number], kernel: pair(size), strides: pair(strides), begin: pair(begin), result: result as [number, number, number] }
}

const windowsOf = ({ result }: Geometry): number => result[0] * result[1]
const blocksOf = (channels: number): number => Math.ceil(channels / CHANNEL_BLOCK)

/** A filter a group, each packed: `[groups, ceil(out/groups / 8), kernelHeight · kernelWidth · in/groups, 8]` from `[out, kernelHeight, kernelWidth, in/groups]`. */
export const packFilters: Implementation = (kernels, inputs, attrs) => {
  const filter = operand('VitrailPackFilters', inputs, 'filter')
  const groups = Number(attrs.groups)
  const [outEach, inner] = [filter.shape[0]! / groups, sizeOf(filter.shape.slice(1))]
  const packed = kernels.output([groups, ...rightShape(inner, outEach)])
  for (let group = 0; group < groups; group++) packRight(kernels, { at: kernels.address(filter) + group * outEach * inner * BYTES, rowStride: 1, columnStride: inner }, inner, outEach, kernels.address(packed) + group * rightBytes(inner, outEach))
  return packed
}

/**
 * x `[images, height, width, channels]` convolved: the windows of all images are the rows of one product a group. `packed`
 * as {@link packFilters} made it for filters of `[height, width]` `size`, bias `[out]` or none; `result` says how many rows and
 * columns of windows.
 */
export const convolution: Implementation = (kernels, inputs, attrs) => {
  const name = 'VitrailConvolution'
  const [x, packed, bias] = [operand(name, inputs, 'x'), operand(name, inputs, 'packed'), optionalOperand(name, inputs, 'bias')]
  const [groups, out] = [Number(attrs.groups), Number(attrs.out)]
  const shape = [x.shape[0] ?? 0, ...(attrs.result as number[]), out]
  const geometry = geometryOf(name, x.shape, shape, attrs)
  const [outEach, perGroup] = [out / groups, geometry.image[2] / groups]
  const inner = sizeOf(geometry.kernel) * perGroup
  expectShape(name, 'packed', packed, [groups, ...rightShape(inner, outEach)])
  if (bias !== undefined) expectShape(name, 'bias', bias, [out])
  const m = geometry.images * windowsOf(geometry)
  const scratch = kernels.scratch(GEOMETRY_BYTES + leftBytes(m, inner), Math.max(tileBytes, mostTileRows * inner * BYTES))
  const y = kernels.output(shape)
  const [xAt, packedAt, biasAt, yAt] = [kernels.address(x), kernels.address(packed), bias === undefined ? 0 : kernels.address(bias), kernels.address(y)]
  writeGeometry(kernels, scratch, geometry)
  for (let group = 0; group < groups; group++) {
    const from = xAt + group * perGroup * BYTES
    const product = { m, k: inner, n: outEach, right: packedAt + group * rightBytes(inner, outEach), bias: biasAt === 0 ? 0 : biasAt + group * outEach * BYTES, out: yAt + group * outEach * BYTES, outStride: out }
    multiply(kernels, product, (first, rows, left) => kernels.run('packWindows', packUnits(rows), rows * inner, from, scratch, perGroup, first, rows, left), scratch + GEOMETRY_BYTES)
  }
  return y
}

/** {@link convolution} where every channel has one filter: `[kernelHeight, kernelWidth, channels]`. */
export const depthwiseConvolution: Implementation = (kernels, inputs, attrs) => {
  const name = 'VitrailDepthwise'
  const [x, filter, bias] = [operand(name, inputs, 'x'), operand(name, inputs, 'filter'), optionalOperand(name, inputs, 'bias')]
  const shape = [x.shape[0] ?? 0, ...(attrs.result as number[]), x.shape[3] ?? 0]
  const geometry = geometryOf(name, x.shape, shape, { ...attrs, size: filter.shape.slice(0, 2) })
  expectShape(name, 'filter', filter, [...geometry.kernel, geometry.image[2]])
  if (bias !== undefined) expectShape(name, 'bias', bias, [geometry.image[2]])
  const scratch = kernels.scratch(GEOMETRY_BYTES)
  const y = kernels.output(shape)
  writeGeometry(kernels, scratch, geometry)
  kernels.run('depthwise', geometry.images * geometry.result[0], (sizeOf(shape) * sizeOf(geometry.kernel)) / 6, kernels.address(x), kernels.address(filter), bias === undefined ? 0 : kernels.address(bias), kernels.address(y), scratch)
  return y
}

/** The largest, or the mean, of each window: `kind` is one of `poolCodes`. */
export const pool: Implementation = (kernels, inputs, attrs) => {
  const x = operand('VitrailPool', inputs, 'x')
  const code = codeOf('VitrailPool', poolCodes, attrs.kind)
  const shape = [x.shape[0] ?? 0, ...(attrs.result as number[]), x.shape[3] ?? 0]
  const geometry = geometryOf('VitrailPool', x.shape, shape, attrs)
  const scratch = kernels.scratch(GEOMETRY_BYTES)
  const y = kernels.output(shape)
  writeGeometry(kernels, scratch, geometry)
  kernels.run('pool', geometry.images * geometry.result[0], (sizeOf(shape) * sizeOf(geometry.kernel)) / 2, kernels.address(x), kernels.address(y), scratch, code)
  return y
}

/** As many numbers that windows see are held at one time: about what the second-level cache holds, whatever the batch. */
const MOST_COLUMNS = 2 ** 17

const zero = (kernels: Kernels, x: TensorInfo): void => {
  const size = sizeOf(x.shape)
  kernels.run('fill', Math.ceil(size / FILL_RUN), size / 8, kernels.address(x), size, 0)
}

/**
 * The gradient of a convolution for its input, an image of `[height, width]`, by filters `[out, kernelHeight, kernelWidth,
 * in/groups]`: products give what each window adds, which is then put where the window lay.
 */
export const convolutionInputGradient: Implementation = (kernels, inputs, attrs) => {
  const name = 'VitrailConvolutionInputGradient'
  const [dy, filter] = [operand(name, inputs, 'dy'), operand(name, inputs, 'filter')]
  const groups = Number(attrs.groups)
  const [out, , , perGroup] = filter.shape as [number, number, number, number]
  const shape = [dy.shape[0] ?? 0, ...(attrs.image as number[]), perGroup * groups]
  const geometry = geometryOf(name, shape, dy.shape, { ...attrs, size: filter.shape.slice(1, 3) })
  expectShape(name, 'dy', dy, [geometry.images, geometry.result[0], geometry.result[1], out])
  const [windows, outEach, inner] = [windowsOf(geometry), out / groups, sizeOf(filter.shape.slice(1))]
  const atATime = Math.max(1, Math.min(geometry.images, Math.floor(MOST_COLUMNS / (windows * inner))))
  const packedBytes = rightBytes(outEach, inner)
  const scratch = kernels.scratch(GEOMETRY_BYTES + packedBytes + leftBytes(atATime * windows, outEach) + atATime * windows * inner * BYTES, tileBytes)
  const packed = scratch + GEOMETRY_BYTES
  const left = packed + packedBytes
  const columns = left + leftBytes(atATime * windows, outEach)
  const dx = kernels.output(shape)
  const [dyAt, filterAt, dxAt] = [kernels.address(dy), kernels.address(filter), kernels.address(dx)]
  writeGeometry(kernels, scratch, geometry)
  zero(kernels, dx)
  for (let group = 0; group < groups; group++) {
    packRight(kernels, { at: filterAt + group * outEach * inner * BYTES, rowStride: inner, columnStride: 1 }, outEach, inner, packed)
    for (let i = 0; i < geometry.images; i += atATime) {
      const images = Math.min(atATime, geometry.images - i)
      multiply(kernels, { m: images * windows, k: outEach, n: inner, right: packed, out: columns }, packLeft(kernels, { at: dyAt + (i * windows * out + group * outEach) * BYTES, rowStride: out, columnStride: 1 }, outEach), left)
      kernels.run('columnsToImage', images * blocksOf(perGroup), (images * windows * inner) / 2, columns, dxAt + (i * sizeOf(geometry.image) + group * perGroup) * BYTES, scratch, perGroup)
    }
  }
  return dx
}

/** And of at least so many windows: a product of fewer rows would mostly read and write its result. */
const LEAST_WINDOWS = 256

/** The gradient of a convolution for its filters, `[out, kernelHeight, kernelWidth, in/groups]`, summed over the images. */
export const convolutionWeightGradient: Implementation = (kernels, inputs, attrs) => {
  const name = 'VitrailConvolutionWeightGradient'
  const [x, dy] = [operand(name, inputs, 'x'), operand(name, inputs, 'dy')]
  const groups = Number(attrs.groups)
  const geometry = geometryOf(name, x.shape, dy.shape, attrs)
  const [channels, out] = [geometry.image[2], geometry.result[2]]
  const [windows, outEach, perGroup] = [windowsOf(geometry), out / groups, channels / groups]
  const inner = sizeOf(geometry.kernel) * perGroup
  const all = geometry.images * windows
  const atATime = Math.min(all, Math.max(LEAST_WINDOWS, Math.floor(MOST_COLUMNS / inner)))
  const columnBytes = atATime * inner * BYTES
  const scratch = kernels.scratch(GEOMETRY_BYTES + columnBytes + weightGradientBytes(outEach, inner, atATime), tileBytes)
  const columns = scratch + GEOMETRY_BYTES
  const dw = kernels.output([out, ...geometry.kernel, perGroup])
  const [xAt, dyAt, dwAt] = [kernels.address(x), kernels.address(dy), kernels.address(dw)]
  writeGeometry(kernels, scratch, geometry)
  if (all === 0) zero(kernels, dw)
  for (let group = 0; group < groups; group++)
    for (let first = 0; first < all; first += atATime) {
      const rows = Math.min(atATime, all - first)
      kernels.run('imageToColumns', rows, (rows * inner) / 2, xAt + group * perGroup * BYTES, columns, scratch, perGroup, first)
      const seen = { dy: { at: dyAt + (first * out + group * outEach) * BYTES, stride: out, width: outEach }, x: { at: columns, stride: inner, width: inner }, rows }
      addWeightGradient(kernels, { ...seen, dw: dwAt + group * outEach * inner * BYTES, accumulate: first > 0 }, columns + columnBytes)
    }
  return dw
}

/** {@link convolutionInputGradient} where every channel has one filter: `[kernelHeight, kernelWidth, channels]`. */
export const depthwiseInputGradient: Implementation = (kernels, inputs, attrs) => {
  const name = 'VitrailDepthwiseInputGradient'
  const [dy, filter] = [operand(name, inputs, 'dy'), operand(name, inputs, 'filter')]
  const shape = [dy.shape[0] ?? 0, ...(attrs.image as number[]), dy.shape[3] ?? 0]
  const geometry = geometryOf(name, shape, dy.shape, { ...attrs, size: filter.shape.slice(0, 2) })
  expectShape(name, 'filter', filter, [...geometry.kernel, geometry.image[2]])
  const scratch = kernels.scratch(GEOMETRY_BYTES)
  const dx = kernels.output(shape)
  writeGeometry(kernels, scratch, geometry)
  zero(kernels, dx)
  kernels.run('depthwiseInputGradient', geometry.images * blocksOf(geometry.image[2]), sizeOf(dy.shape) * sizeOf(geometry.kernel) / 2, kernels.address(dy), kernels.address(filter), kernels.address(dx), scratch)
  return dx
}

/** {@link convolutionWeightGradient} where every channel has one filter: `[kernelHeight, kernelWidth, channels]`. */
export const depthwiseWeightGradient: Implementation = (kernels, inputs, attrs) => {
  const name = 'VitrailDepthwiseWeightGradient'
  const [x, dy] = [operand(name, inputs, 'x'), operand(name, inputs, 'dy')]
  const geometry = geometryOf(name, x.shape, dy.shape, attrs)
  expectShape(name, 'dy', dy, [geometry.images, geometry.result[0], geometry.result[1], geometry.image[2]])
  const scratch = kernels.scratch(GEOMETRY_BYTES)
  const dw = kernels.output([...geometry.kernel, geometry.image[2]])
  writeGeometry(kernels, scratch, geometry)
  zero(kernels, dw)
  kernels.run('depthwiseWeightGradient', blocksOf(geometry.image[2]), sizeOf(dy.shape) * sizeOf(geometry.kernel) / 2, kernels.address(x), kernels.address(dy), kernels.address(dw), scratch, geometry.images)
  return dw
}

/** dy put where x is largest in each window, first in reading order where several are. */
export const maxPoolGradient: Implementation = (kernels, inputs, attrs) => {
  const name = 'VitrailMaxPoolGradient'
  const [x, dy] = [operand(name, inputs, 'x'), operand(name, inputs, 'dy')]
  const geometry = geometryOf(name, x.shape, dy.shape, attrs)
  expectShape(name, 'dy', dy, [geometry.images, geometry.result[0], geometry.result[1], geometry.image[2]])
  const scratch = kernels.scratch(GEOMETRY_BYTES)
  const dx = kernels.output(x.shape)
  writeGeometry(kernels, scratch, geometry)
  zero(kernels, dx)
  kernels.run('maxPoolGradient', geometry.images * blocksOf(geometry.image[2]), sizeOf(dy.shape) * sizeOf(geometry.kernel), kernels.address(x), kernels.address(dy), kernels.address(dx), scratch)
  return dx
}
