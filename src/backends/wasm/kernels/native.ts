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
  /** `plan`: pointer to 18 int32: six sizes, six source strides, six destination strides. */
  stridedCopy(src: number, dst: number, plan: number): void
}

/** The numbers of `native/activation.h`. */
export const activationCodes = { none: 0, gelu: 1, geluTanh: 2, quickGelu: 3, relu: 4, silu: 5 } as const

/** An activation that `VitrailLinear` can apply in its epilogue. */
export type Activation = keyof typeof activationCodes

/** The functions of `VitrailUnary`. */
export const unaryCodes = { gelu: 1, geluTanh: 2, quickGelu: 3, silu: 5, erf: 6 } as const
