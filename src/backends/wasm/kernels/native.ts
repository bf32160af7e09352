/**
 * What `kernels.c` exports. Every pointer is a byte offset in memory (0 for an absent operand); sizes and strides are in
 * elements. Offsets above 2 GiB may be passed as they are: WebAssembly takes them modulo 2^32.
 *
 * A {@link SharedKernel} does the units from `begin` up to `end` of its work, with scratch of its thread's own; the C source
 * says what a unit is. The others only measure.
 */
export interface NativeKernels extends Readonly<Record<SharedKernel, (...args: readonly number[]) => void>> {
  /** B `[K, N]` by strides into panels `[ceil(N / 8), K, 8]`. */
  packRight(b: number, k: number, n: number, rowStride: number, colStride: number, packed: number, ...share: Share): void
  /** A `[M, K]` by strides into panels as high as a tile, `[tiles, K, rows]`. Unit: 12 rows. */
  packLeft(a: number, m: number, k: number, rowStride: number, colStride: number, packed: number, ...share: Share): void
  /** out `[M, N]` = activation(A B + bias) + residual, added to what is there where `accumulate`. */
  multiply(left: number, m: number, k: number, right: number, n: number, bias: number, activation: number, residual: number, out: number, outStride: number, accumulate: number, ...share: Share): void
  multiplyUnits(m: number, n: number): number
  /** `pairs`: pointer to two int32 for each product, the matrices of A and of B. */
  products(a: number, b: number, out: number, pairs: number, m: number, k: number, n: number, aRow: number, aColumn: number, bRow: number, bColumn: number, ...share: Share): void
  productsScratchBytes(m: number, k: number, n: number): number
  /** Multiply-adds in registers, 96 operations a step. `out`: pointer to eight floats. */
  peak(out: number, steps: number): void
  attentionScratchBytes(keys: number, headDim: number): number
  /** `plan`: pointer to what `attend` of `attention.ts` writes. */
  attention(q: number, k: number, v: number, bias: number, out: number, plan: number, scale: number, ...share: Share): void
  packedAttentionGradientScratchBytes(tokens: number, headDim: number): number
  /** `biasOf`: pointer to an int32 for each image, which bias it has. */
  packedAttentionGradient(qkv: number, dy: number, bias: number, biasOf: number, dqkv: number, heads: number, tokens: number, headDim: number, scale: number, scores: number, ...share: Share): void
  elementwiseScratchBytes(operands: number, steps: number): number
  /** `program`: pointer to what `elementwise.ts` writes. */
  elementwise(program: number, out: number, ...share: Share): void
  layerNorm(x: number, gamma: number, beta: number, y: number, width: number, epsilon: number, ...share: Share): void
  /** `moments`: pointer to `[images, 2, channels]`. */
  channelMoments(x: number, moments: number, places: number, channels: number, ...share: Share): void
  groupNorm(x: number, moments: number, gamma: number, beta: number, y: number, places: number, channels: number, groups: number, epsilon: number, activation: number, ...share: Share): void
  groupNormScratchBytes(channels: number): number
  /** `slopes`: pointer to `[images, 2, channels]`. */
  channelSlopes(x: number, dy: number, moments: number, slopes: number, places: number, channels: number, ...share: Share): void
  groupNormGradient(x: number, dy: number, moments: number, slopes: number, gamma: number, dx: number, places: number, channels: number, groups: number, epsilon: number, ...share: Share): void
  groupNormGradientScratchBytes(channels: number): number
  softmax(x: number, y: number, width: number, scale: number, ...share: Share): void
  unary(x: number, y: number, size: number, fn: number, ...share: Share): void
  /** `meeting`: pointer to what `pointwise.ts` writes. */
  binary(a: number, b: number, y: number, meeting: number, fn: number, ...share: Share): void
  geluGradient(x: number, dy: number, dx: number, size: number, form: number, ...share: Share): void
  softmaxGradient(y: number, dy: number, dx: number, width: number, ...share: Share): void
  layerNormGradient(x: number, dy: number, gamma: number, dx: number, width: number, epsilon: number, ...share: Share): void
  /** y `[outer, inner]` = scale · the sum of x `[outer, count, inner]` over its middle axis. */
  sumAxis(x: number, y: number, count: number, inner: number, scale: number, ...share: Share): void
  /** The same for the largest. */
  maxAxis(x: number, y: number, count: number, inner: number, ...share: Share): void
  /** `pieces`: pointer to two int32 for each tensor, its address and its size. `sums`: one for each unit. */
  squareSums(pieces: number, sums: number, ...share: Share): void
  /** `geometry`: pointer to eleven int32; see `native/images.h`. */
  imageToColumns(x: number, columns: number, geometry: number, channels: number, first: number, ...share: Share): void
  packWindows(x: number, geometry: number, channels: number, first: number, windows: number, packed: number, ...share: Share): void
  depthwise(x: number, w: number, bias: number, y: number, geometry: number, ...share: Share): void
  pool(x: number, y: number, geometry: number, kind: number, ...share: Share): void
  columnsToImage(columns: number, x: number, geometry: number, channels: number, ...share: Share): void
  depthwiseInputGradient(dy: number, w: number, dx: number, geometry: number, ...share: Share): void
  depthwiseWeightGradient(x: number, dy: number, dw: number, geometry: number, images: number, ...share: Share): void
  maxPoolGradient(x: number, dy: number, dx: number, geometry: number, ...share: Share): void
  /** `plan`: pointer to what `copy.ts` writes. */
  stridedCopy(src: number, dst: number, plan: number, ...share: Share): void
  fill(x: number, size: number, value: number, ...share: Share): void
  gatherRows(table: number, indices: number, y: number, width: number, ...share: Share): void
  scatterAdd(x: number, indices: number, y: number, count: number, width: number, ...share: Share): void
}

/** What a thread takes of a kernel's work. */
export type Share = readonly [scratch: number, begin: number, end: number]

/** The kernels whose work can be shared by threads; a thread is told which by its place here. */
export const sharedKernels = [
  'packRight', 'packLeft', 'multiply', 'products', 'attention', 'layerNorm', 'softmax', 'unary', 'binary', 'geluGradient', 'softmaxGradient', 'layerNormGradient', 'sumAxis', 'maxAxis', 'squareSums', 'imageToColumns',
  'packWindows', 'depthwise', 'pool', 'columnsToImage', 'depthwiseInputGradient', 'depthwiseWeightGradient', 'maxPoolGradient', 'stridedCopy', 'fill', 'gatherRows', 'scatterAdd',
  'packedAttentionGradient', 'elementwise', 'channelMoments', 'groupNorm', 'channelSlopes', 'groupNormGradient',
] as const

/** A kernel whose work can be shared. */
export type SharedKernel = (typeof sharedKernels)[number]

/** What such a kernel is called with, before its share. */
export type OperandsOf<K extends SharedKernel> = Parameters<NativeKernels[K]> extends [...infer A extends number[], number, number, number] ? A : never

/** How many elements a unit of elementwise work has. */
export const RUN = 1024
/** And one of a sum of squares. */
export const SQUARE_RUN = 4096
/** And one of a fill. */
export const FILL_RUN = 4096
/** How many places of an image a unit of group norm has. */
export const PLACES = 16
/** How many channels a unit has where channels are shared out. */
export const CHANNEL_BLOCK = 16

/** What `VitrailLinear` and `VitrailGroupNorm` can do last; the numbers of `native/activation.h`. */
export const activationCodes = { none: 0, gelu: 1, geluTanh: 2, quickGelu: 3, relu: 4, silu: 5 } as const

/** The functions of `VitrailUnary`; the numbers of `native/pointwise.h`. */
export const unaryCodes = { gelu: 1, geluTanh: 2, quickGelu: 3, relu: 4, silu: 5, erf: 6, exp: 7, log: 8, sqrt: 9, rsqrt: 10, tanh: 11, sigmoid: 12, step: 13, square: 14, cube: 15, reciprocal: 16 } as const

/** The functions of two numbers; the numbers of `native/pointwise.h`. */
export const binaryCodes = { add: 0, subtract: 1, multiply: 2, divide: 3, maximum: 4, minimum: 5 } as const

/** What a pool takes of its window; the numbers of `native/images.h`. */
export const poolCodes = { max: 0, mean: 1, meanInside: 2 } as const
