import type { TensorInfo } from '@tensorflow/tfjs-core'
import { sizeOf } from './axes.js'
import { expectShape, operand, type Attributes, type Implementation } from './implementation.js'
import type { Kernels } from './instance.js'
import { activationCodes } from './native.js'

const BYTES = 4
const PANEL = 8

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

/** Eleven int32 that `native/images.h` reads. */
const geometryInts = 11
const writeGeometry = (kernels: Kernels, at: number, { image, kernel, strides, begin, result }: Geometry): void =>
  kernels.writeInts(at, [...image, ...kernel, ...strides, ...begin, result[0], result[1]])

/** x `[images, height, width, channels]` and dy `[images, rows, columns, out]` under attributes `size`, `strides` and `begin`. */
const geometryOf = (name: string, image: readonly number[], dy: TensorInfo, { size, strides, begin }: Attributes): Geometry => {
  const [images, ...place] = image
  const [, ...result] = dy.shape
  if (images === undefined || place.length !== 3 || result.length !== 3 || dy.shape[0] !== images) throw new Error(`${name}: needs images with height, width and channels`)
  const pair = (value: unknown): [number, number] => {
    if (!Array.isArray(value) || value.length !== 2 || !value.every(Number.isInteger)) throw new Error(`${name}: size, strides and begin must be two integers each`)
    return value as [number, number]
  }
  return { images, image: place as [number, number, number], kernel: pair(size), strides: pair(strides), begin: pair(begin), result: result as [number, number, number] }
}

const each = (count: number, f: (i: number) => void): void => {
  for (let i = 0; i < count; i++) f(i)
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
  const geometry = geometryOf(name, shape, dy, { ...attrs, size: filter.shape.slice(1, 3) })
  expectShape(name, 'dy', dy, [geometry.images, geometry.result[0], geometry.result[1], out])
  const [windows, outEach, inner] = [geometry.result[0] * geometry.result[1], out / groups, sizeOf(filter.shape.slice(1))]
  const [packedBytes, columnBytes] = [Math.ceil(inner / PANEL) * PANEL * outEach * BYTES, windows * inner * BYTES]
  const scratch = kernels.scratch(geometryInts * BYTES + columnBytes + packedBytes + kernels.native.gemmScratchBytes(windows, outEach))
  const columns = scratch + geometryInts * BYTES
  const packed = columns + columnBytes
  const dx = kernels.output(shape)
  const [dyAt, filterAt, dxAt] = [kernels.address(dy), kernels.address(filter), kernels.address(dx)]
  writeGeometry(kernels, scratch, geometry)
  kernels.native.zero(dxAt, sizeOf(shape))
  each(groups, group => {
    kernels.native.pack(filterAt + group * outEach * inner * BYTES, outEach, inner, inner, 1, packed)
    each(geometry.images, i => {
      kernels.native.gemm(dyAt + (i * windows * out + group * outEach) * BYTES, windows, outEach, out, 1, packed, inner, 0, activationCodes.none, 0, columns, packed + packedBytes)
      kernels.native.columnsToImage(columns, dxAt + (i * sizeOf(geometry.image) + group * perGroup) * BYTES, scratch, perGroup)
    })
  })
  return dx
}

/** The gradient of a convolution for its filters, `[out, kernelHeight, kernelWidth, in/groups]`, summed over the images. */
export const convolutionWeightGradient: Implementation = (kernels, inputs, attrs) => {
  const name = 'VitrailConvolutionWeightGradient'
  const [x, dy] = [operand(name, inputs, 'x'), operand(name, inputs, 'dy')]
  const groups = Number(attrs.groups)
  const geometry = geometryOf(name, x.shape, dy, attrs)
  const [channels, out] = [geometry.image[2], geometry.result[2]]
  const [windows, outEach, perGroup] = [geometry.result[0] * geometry.result[1], out / groups, channels / groups]
  const inner = sizeOf(geometry.kernel) * perGroup
  const columnBytes = windows * inner * BYTES
  const scratch = kernels.scratch(geometryInts * BYTES + columnBytes + kernels.native.weightGradientScratchBytes(outEach, inner, windows))
  const columns = scratch + geometryInts * BYTES
  const dw = kernels.output([out, ...geometry.kernel, perGroup])
  const [xAt, dyAt, dwAt] = [kernels.address(x), kernels.address(dy), kernels.address(dw)]
  writeGeometry(kernels, scratch, geometry)
  if (geometry.images === 0) kernels.native.zero(dwAt, out * inner)
  each(groups, group =>
    each(geometry.images, i => {
      kernels.native.imageToColumns(xAt + (i * sizeOf(geometry.image) + group * perGroup) * BYTES, columns, scratch, perGroup)
      kernels.native.weightGradient(dyAt + (i * windows * out + group * outEach) * BYTES, out, columns, inner, dwAt + group * outEach * inner * BYTES, windows, outEach, inner, i > 0 ? 1 : 0, columns + columnBytes)
    }),
  )
  return dw
}

/** What a kernel of one image adds to the gradient of each image, which begins as zeros. */
const perImage = (kernels: Kernels, shape: readonly number[], geometry: Geometry, run: (image: number, dx: number, scratch: number) => void): TensorInfo => {
  const scratch = kernels.scratch(geometryInts * BYTES)
  const dx = kernels.output(shape)
  const at = kernels.address(dx)
  writeGeometry(kernels, scratch, geometry)
  kernels.native.zero(at, sizeOf(shape))
  each(geometry.images, i => run(i, at + i * sizeOf(geometry.image) * BYTES, scratch))
  return dx
}

/** {@link convolutionInputGradient} where every channel has one filter: `[kernelHeight, kernelWidth, channels]`. */
export const depthwiseInputGradient: Implementation = (kernels, inputs, attrs) => {
  const name = 'VitrailDepthwiseInputGradient'
  const [dy, filter] = [operand(name, inputs, 'dy'), operand(name, inputs, 'filter')]
  const shape = [dy.shape[0] ?? 0, ...(attrs.image as number[]), dy.shape[3] ?? 0]
  const geometry = geometryOf(name, shape, dy, { ...attrs, size: filter.shape.slice(0, 2) })
  expectShape(name, 'filter', filter, [...geometry.kernel, geometry.image[2]])
  return perImage(kernels, shape, geometry, (i, dx, scratch) => kernels.native.depthwiseInputGradient(kernels.address(dy) + i * sizeOf(geometry.result) * BYTES, kernels.address(filter), dx, scratch))
}

/** {@link convolutionWeightGradient} where every channel has one filter: `[kernelHeight, kernelWidth, channels]`. */
export const depthwiseWeightGradient: Implementation = (kernels, inputs, attrs) => {
  const name = 'VitrailDepthwiseWeightGradient'
  const [x, dy] = [operand(name, inputs, 'x'), operand(name, inputs, 'dy')]
  const geometry = geometryOf(name, x.shape, dy, attrs)
  expectShape(name, 'dy', dy, [geometry.images, geometry.result[0], geometry.result[1], geometry.image[2]])
  const scratch = kernels.scratch(geometryInts * BYTES)
  const dw = kernels.output([...geometry.kernel, geometry.image[2]])
  const [xAt, dyAt, dwAt] = [kernels.address(x), kernels.address(dy), kernels.address(dw)]
  writeGeometry(kernels, scratch, geometry)
  kernels.native.zero(dwAt, sizeOf(dw.shape))
  each(geometry.images, i => kernels.native.depthwiseWeightGradient(xAt + i * sizeOf(geometry.image) * BYTES, dyAt + i * sizeOf(geometry.result) * BYTES, dwAt, scratch))
  return dw
}

/** dy put where x is largest in each window, first in reading order where several are. */
export const maxPoolGradient: Implementation = (kernels, inputs, attrs) => {
  const name = 'VitrailMaxPoolGradient'
  const [x, dy] = [operand(name, inputs, 'x'), operand(name, inputs, 'dy')]
  const geometry = geometryOf(name, x.shape, dy, attrs)
  expectShape(name, 'dy', dy, [geometry.images, geometry.result[0], geometry.result[1], geometry.image[2]])
  return perImage(kernels, x.shape, geometry, (i, dx, scratch) => kernels.native.maxPoolGradient(kernels.address(x) + i * sizeOf(geometry.image) * BYTES, kernels.address(dy) + i * sizeOf(geometry.result) * BYTES, dx, scratch))
}
