// Float32 SIMD kernels of vitrail for the memory of the tfjs wasm backend. Built by build.sh; called from the
// TypeScript beside it.
//
// The module owns no memory: no data segment, no shadow stack, no allocation (build.sh refuses a binary that has any).
// Every pointer is the byte offset of a tensor of the backend, or of scratch that the caller allocated with the
// backend's own malloc, in the sizes that the *ScratchBytes functions give. Nothing is read or written past a tensor's
// last element. Sizes and strides are in elements.
#include "native/attention.h"
#include "native/copy.h"
#include "native/gemm.h"
#include "native/gradients.h"
#include "native/images.h"
#include "native/rows.h"

// B [K, N], element (k, n) at k * rowStride + n * colStride, into panels [ceil(N / 8)][K][8], zeros beyond N.
KERNEL(pack)(const float *B, int K, int N, int rowStride, int colStride, float *packed) {
  packColumns(B, rowStride, colStride, N, K, packed);
}

MEASURE(gemmScratchBytes)(int M, int K) { return 4 * gemmScratchFloats(M, K); }

// out [M, N] = activation(A B + bias [N] or null) + (residual [M, N] or null); scratch of gemmScratchBytes(M, K).
KERNEL(gemm)(const float *A, int M, int K, int rowStride, int colStride, const float *packed, int N, const float *bias,
             int activation, const float *residual, float *out, float *scratch) {
  multiply(A, M, K, rowStride, colStride, packed, N, bias, activation, residual, out, scratch, 0);
}
