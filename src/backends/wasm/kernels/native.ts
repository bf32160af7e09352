/**
 * What `kernels.c` exports. Every pointer is a byte offset in the backend's memory (0 for an absent operand); sizes
 * and strides are in elements. Offsets above 2 GiB may be passed as they are: WebAssembly takes them modulo 2^32.
 */
export interface NativeKernels {
  /** B `[K, N]` by strides into panels `[ceil(N / 8), K, 8]`. */
  pack(b: number, k: number, n: number, rowStride: number, colStride: number, packed: number): void
  gemmScratchBytes(m: number, k: number): number
  /** out `[M, N]` = activation(A B + bias) + residual. */
  gemm(
    a: number, m: number, k: number, rowStride: number, colStride: number,
    packed: number, n: number, bias: number, activation: number, residual: number,
    out: number, scratch: number,
  ): void
  attentionScratchBytes(keys: number, headDim: number): number
  /** One image: out = softmax(scale q kᵀ + bias) v for every head. */
  attention(
    q: number, k: number, v: number, bias: number, out: number, scratch: number,
    heads: number, queries: number, keys: number, headDim: number, scale: number,
    qToken: number, qHead: number, kToken: number, kHead: number, vToken: number, vHead: number,
    outToken: number, outHead: number, biasHead: number, biasQuery: number,
  ): void
  layerNorm(x: number, gamma: number, beta: number, y: number, rows: number, width: number, epsilon: number): void
  softmax(x: number, y: number, rows: number, width: number, scale: number): void
  unary(x: number, y: number, size: number, fn: number): void
  geluGradient(x: number, dy: number, dx: number, size: number, form: number): void
  softmaxGradient(y: number, dy: number, dx: number, rows: number, width: number): void
  layerNormGradient(x: number, dy: number, gamma: number, dx: number, rows: number, width: number, epsilon: number): void
  /** y `[outer, inner]` = scale · the sum of x `[outer, count, inner]` over its middle axis. */
  sumAxis(x: number, y: number, outer: number, count: number, inner: number, scale: number): void
  weightGradientScratchBytes(out: number, inner: number, rows: number): number
  /** dw `[out, inner]` = dyᵀ x over rows, added to what is there where `accumulate`. */
  weightGradient(dy: number, dyStride: number, x: number, xStride: number, dw: number, rows: number, out: number, inner: number, accumulate: number, scratch: number): void
  /** `geometry`: pointer to eleven int32; see `native/images.h`. */
  imageToColumns(x: number, columns: number, geometry: number, channels: number): void
  columnsToImage(columns: number, x: number, geometry: number, channels: number): void
  zero(x: number, size: number): void
  depthwiseInputGradient(dy: number, w: number, dx: number, geometry: number): void
  depthwiseWeightGradient(x: number, dy: number, dw: number, geometry: number): void
  maxPoolGradient(x: number, dy: number, dx: number, geometry: number): void
  /** `plan`: pointer to 18 int32: six sizes, six source strides, six destination strides. */
  stridedCopy(src: number, dst: number, plan: number): void
}

/** The numbers of `native/activation.h`. */
export const activationCodes = { none: 0, gelu: 1, geluTanh: 2, quickGelu: 3, relu: 4, silu: 5 } as const

/** An activation that `VitrailLinear` can apply in its epilogue. */
export type Activation = keyof typeof activationCodes

/** The functions of `VitrailUnary`. */
export const unaryCodes = { gelu: 1, geluTanh: 2, quickGelu: 3, silu: 5, erf: 6 } as const
