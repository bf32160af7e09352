// Packed matrix product. Left-hand rows are packed four at a time ([depth][4]), right-hand columns eight at a time
// ([depth][8]), so that the inner loop walks two contiguous streams and keeps a 4x8 tile of sums in registers.
//
// Measured on Zen 4 under Node 20, in GFLOP/s of one thread, plain SIMD / fused multiply-add, against a register loop that
// reaches 47 / 58: this tile 41 / 53; the left-hand side as a vector and shuffled 40 / 50, read where it lies, unpacked,
// 37 / 46; unrolled four times 28 / 29; 5x8 24 / 22 (unpacked 23 / 53), 3x12 unpacked 21 / 53, 6x8 28 / 26: V8 puts all loads
// of an iteration before its arithmetic, so that a larger tile needs more than its 15 vector registers, and spills. Without
// multiply-add the limit is about four vector operations a cycle, loads included: 22 for the 64 operations of a step.
#pragma once
#include "activation.h"

enum { TILE_ROWS = 4, TILE_COLUMNS = 8 };
// One right-hand panel of at most DEPTH_BLOCK x 8 floats (24 KiB) stays in the first-level cache while the packed
// left-hand block of ROW_BLOCK x DEPTH_BLOCK floats (768 KiB) streams past it from the second level. (Measured: 256 to
// 512 deep is 2 to 8 % slower, 1024 no faster; 128 rows 3 % slower.)
enum { ROW_BLOCK = 256, DEPTH_BLOCK = 768 };

// dst[k * dstStride + lane] = src[lane * across + k * along] for lane < 4; lanes from `lanes` on become zero.
static void packFour(const float *src, int across, int along, int lanes, int depth, float *dst, int dstStride) {
  int k = 0;
  if (lanes >= 4 && across == 1) {
    for (; k < depth; k++) store(dst + k * dstStride, load(src + k * along));
  } else if (lanes >= 4 && along == 1) {
    const float *s0 = src, *s1 = s0 + across, *s2 = s1 + across, *s3 = s2 + across;
    for (; k + 4 <= depth; k += 4) {
      Vec r0 = load(s0 + k), r1 = load(s1 + k), r2 = load(s2 + k), r3 = load(s3 + k);
      transpose4x4(&r0, &r1, &r2, &r3);
      float *d = dst + k * dstStride;
      store(d, r0);
      store(d + dstStride, r1);
      store(d + 2 * dstStride, r2);
      store(d + 3 * dstStride, r3);
    }
  }
  for (; k < depth; k++)
    for (int lane = 0; lane < 4; lane++) dst[k * dstStride + lane] = lane < lanes ? src[lane * across + k * along] : 0.0f;
}

// Rows i < rows of A (rowStride, colStride) into panels [ceil(rows / 4)][depth][4].
static void packRows(const float *src, int rowStride, int colStride, int rows, int depth, float *dst) {
  for (int i = 0; i < rows; i += TILE_ROWS, dst += depth * TILE_ROWS)
    packFour(src + i * rowStride, rowStride, colStride, rows - i, depth, dst, TILE_ROWS);
}

// Columns j < columns of B (rowStride, colStride) into panels [ceil(columns / 8)][depth][8].
static void packColumns(const float *src, int rowStride, int colStride, int columns, int depth, float *dst) {
  // A row-major B is taken 32 rows at a time, so that a cache line serves all the columns in it before it is dropped.
  int block = colStride == 1 ? 32 : depth;
  for (int k = 0; k < depth; k += block, src += block * rowStride) {
    int rows = minInt(block, depth - k);
    for (int j = 0; j < columns; j += TILE_COLUMNS) {
      float *panel = dst + j * depth + k * TILE_COLUMNS;
      packFour(src + j * colStride, colStride, rowStride, columns - j, rows, panel, TILE_COLUMNS);
      packFour(src + (j + 4) * colStride, colStride, rowStride, columns - j - 4, rows, panel + 4, TILE_COLUMNS);
    }
  }
}

// out[4][8] (rows outStride apart) = or += a[depth][4]^T b[depth][8]
OUT_OF_LINE void multiplyTile(const float *a, const float *b, int depth, float *out, int outStride, int accumulate) {
  float *o0 = out, *o1 = o0 + outStride, *o2 = o1 + outStride, *o3 = o2 + outStride;
  Vec zero = splat(0.0f);
  Vec c00 = zero, c01 = zero, c10 = zero, c11 = zero, c20 = zero, c21 = zero, c30 = zero, c31 = zero;
  if (accumulate) {
    c00 = load(o0), c01 = load(o0 + 4), c10 = load(o1), c11 = load(o1 + 4);
    c20 = load(o2), c21 = load(o2 + 4), c30 = load(o3), c31 = load(o3 + 4);
  }
  // Not unrolled: V8 unrolls so small a loop itself, and hoists the loads of a larger one until the sums spill.
#pragma clang loop unroll(disable)
  for (const float *end = b + depth * TILE_COLUMNS; b != end; a += TILE_ROWS, b += TILE_COLUMNS) {
    Vec b0 = load(b), b1 = load(b + 4), s;
    s = loadSplat(a), c00 = madd(s, b0, c00), c01 = madd(s, b1, c01);
    s = loadSplat(a + 1), c10 = madd(s, b0, c10), c11 = madd(s, b1, c11);
    s = loadSplat(a + 2), c20 = madd(s, b0, c20), c21 = madd(s, b1, c21);
    s = loadSplat(a + 3), c30 = madd(s, b0, c30), c31 = madd(s, b1, c31);
  }
  store(o0, c00), store(o0 + 4, c01), store(o1, c10), store(o1 + 4, c11);
  store(o2, c20), store(o2 + 4, c21), store(o3, c30), store(o3 + 4, c31);
}

// Copies the part of a tile that exists, where it hangs over the edge of the output.
static void copyEdge(const float *src, int srcStride, float *dst, int dstStride, int rows, int columns) {
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) dst[i * dstStride + j] = src[i * srcStride + j];
}

// One row of eight sums becomes activation(row + bias) + residual.
INLINE void finishRow(float *sums, Vec shift0, Vec shift1, const float *residual, int columns, int activation) {
  Vec x0 = activateVec(add(load(sums), shift0), activation), x1 = activateVec(add(load(sums + 4), shift1), activation);
  if (residual) x0 = add(x0, loadPartial(residual, columns, 0.0f)), x1 = add(x1, loadPartial(residual + 4, columns - 4, 0.0f));
  store(sums, x0), store(sums + 4, x1);
}

// Eight-wide rows of sums, fresh in the cache; `columns` of them exist in bias and residual. Two rows at a time: four chains
// of dependent steps overlap, and share their constants.
OUT_OF_LINE void finishRows(float *sums, int stride, const float *bias, const float *residual, int residualStride,
                            int rows, int columns, int activation) {
  Vec shift0 = splat(0.0f), shift1 = shift0;
  if (bias) shift0 = loadPartial(bias, columns, 0.0f), shift1 = loadPartial(bias + 4, columns - 4, 0.0f);
  int i = 0;
#define CASE(code) \
  case code: \
    if (!residual) for (; i + 2 <= rows; i += 2, sums += 2 * stride) { \
      Vec x0 = activateVec(add(load(sums), shift0), code), x1 = activateVec(add(load(sums + 4), shift1), code); \
      Vec x2 = activateVec(add(load(sums + stride), shift0), code), x3 = activateVec(add(load(sums + stride + 4), shift1), code); \
      store(sums, x0), store(sums + 4, x1), store(sums + stride, x2), store(sums + stride + 4, x3); \
    } \
    for (; i < rows; i++, sums += stride) finishRow(sums, shift0, shift1, residual ? residual + i * residualStride : 0, columns, code); \
    break;
  switch (activation) { CASE(NONE) CASE(GELU) CASE(GELU_TANH) CASE(QUICK_GELU) CASE(RELU) CASE(SILU) }
#undef CASE
}

// Blocks of equal size, at most `most` and a multiple of four, rather than full ones and a rest.
INLINE int evenBlock(int n, int most) {
  int blocks = (n + most - 1) / most;
  return blocks <= 1 ? n : roundUp((n + blocks - 1) / blocks, 4);
}

// The factors of a product, packed once for all threads.
// Unit: four rows of A [M, K], element (i, k) at i * rowStride + k * colStride, into [K][4].
KERNEL(packLeft)(const float *A, int M, int K, int rowStride, int colStride, float *packed, SHARE) {
  for (int i = begin * TILE_ROWS; i < minInt(M, end * TILE_ROWS); i += TILE_ROWS)
    packFour(A + i * rowStride, rowStride, colStride, M - i, K, packed + i * K, TILE_ROWS);
}

// Unit: eight columns of B [K, N], element (k, j) at k * rowStride + j * colStride, into [K][8].
KERNEL(packRight)(const float *B, int K, int N, int rowStride, int colStride, float *packed, SHARE) {
  int j = begin * TILE_COLUMNS;
  packColumns(B + j * colStride, rowStride, colStride, minInt(N, end * TILE_COLUMNS) - j, K, packed + j * K);
}

// out [rows, columns] (outStride apart) of a block of rows and some panels, all of the depth.
static void multiplyBlock(const float *left, int rows, int K, const float *right, int columns, const float *bias, int activation,
                          const float *residual, float *out, int outStride, int accumulate, float *edge) {
  int depthBlock = evenBlock(K, DEPTH_BLOCK), k0 = 0;
  int finish = bias || residual || activation != NONE;
  do { // once even where K is 0: the sums are then zeros
    int depth = minInt(depthBlock, K - k0), last = k0 + depth >= K, onTop = accumulate || k0 > 0;
    for (int j = 0; j < columns; j += TILE_COLUMNS) {
      const float *panel = right + j * K + k0 * TILE_COLUMNS;
      int width = minInt(TILE_COLUMNS, columns - j);
      for (int i = 0; i < rows; i += TILE_ROWS) {
        int at = i * outStride + j, height = minInt(TILE_ROWS, rows - i);
        int whole = width == TILE_COLUMNS && height == TILE_ROWS;
        float *tile = whole ? out + at : edge;
        int stride = whole ? outStride : TILE_COLUMNS;
        if (!whole && onTop) copyEdge(out + at, outStride, edge, TILE_COLUMNS, height, width);
        multiplyTile(left + i * K + k0 * TILE_ROWS, panel, depth, tile, stride, onTop);
        if (finish && last && width < TILE_COLUMNS)
          finishRows(tile, stride, bias ? bias + j : 0, residual ? residual + at : 0, outStride, height, width, activation);
        if (!whole) copyEdge(edge, TILE_COLUMNS, out + at, outStride, height, width);
      }
      // A whole panel is finished at once: its many rows give the processor more to overlap than four.
      if (finish && last && width == TILE_COLUMNS)
        finishRows(out + j, outStride, bias ? bias + j : 0, residual ? residual + j : 0, outStride, rows, width, activation);
    }
    k0 += depth;
  } while (k0 < K);
}

// out [M, N] (rows outStride apart) = activation(A [M, K] B [K, N] + bias [N]) + residual (laid out as out), both factors
// packed. With accumulate, the product is added to what out holds, before all else. Unit: a panel of eight columns of one
// block of rows; the blocks one after the other. Scratch: one tile.
KERNEL(multiply)(const float *left, int M, int K, const float *right, int N, const float *bias, int activation,
                 const float *residual, float *out, int outStride, int accumulate, SHARE) {
  int panels = (N + TILE_COLUMNS - 1) / TILE_COLUMNS, rowBlock = evenBlock(M, ROW_BLOCK);
  for (int unit = begin; unit < end;) {
    int i = unit / panels * rowBlock, first = unit % panels, last = minInt(panels, first + end - unit);
    int j = first * TILE_COLUMNS, at = i * outStride + j;
    multiplyBlock(left + i * K, minInt(rowBlock, M - i), K, right + j * K, minInt(N, last * TILE_COLUMNS) - j,
                  bias ? bias + j : 0, activation, residual ? residual + at : 0, out + at, outStride, accumulate, scratch);
    unit += last - first;
  }
}

// The number of units of `multiply`.
MEASURE(multiplyUnits)(int M, int N) {
  int rowBlock = evenBlock(M, ROW_BLOCK);
  return M == 0 ? 0 : (M + rowBlock - 1) / rowBlock * ((N + TILE_COLUMNS - 1) / TILE_COLUMNS);
}

MEASURE(productsScratchBytes)(int M, int K, int N) {
  return 4 * (TILE_ROWS * TILE_COLUMNS + roundUp(M, TILE_ROWS) * K + roundUp(N, TILE_COLUMNS) * K);
}

// Many products of one size. Unit: out[u] [M, N] = A[pairs[2u]] B[pairs[2u + 1]], packed in scratch; a B that serves several
// in a row is packed once.
KERNEL(products)(const float *A, const float *B, float *out, const int *pairs, int M, int K, int N, int aRow, int aColumn,
                 int bRow, int bColumn, SHARE) {
  float *left = scratch + TILE_ROWS * TILE_COLUMNS, *right = left + roundUp(M, TILE_ROWS) * K;
  for (int u = begin, packed = -1; u < end; u++) {
    int b = pairs[2 * u + 1];
    if (b != packed) packColumns(B + b * K * N, bRow, bColumn, N, K, right);
    packed = b;
    packRows(A + pairs[2 * u] * M * K, aRow, aColumn, M, K, left);
    multiplyBlock(left, M, K, right, N, 0, NONE, 0, out + u * M * N, N, 0, scratch);
  }
}

// Multiply-adds in registers and nothing else, twelve chains of them: what products are measured against. 96 operations a
// step. (Products of two values that do not change would be hoisted out of the loop.)
KERNEL(peak)(float *out, int steps) {
  Vec a = load(out), b = load(out + 4);
  Vec c0 = b, c1 = b, c2 = b, c3 = b, c4 = b, c5 = b, c6 = b, c7 = b, c8 = b, c9 = b, c10 = b, c11 = b;
#pragma clang loop unroll(disable)
  for (int i = 0; i < steps; i++) {
    c0 = madd(c0, a, b), c1 = madd(c1, a, b), c2 = madd(c2, a, b), c3 = madd(c3, a, b);
    c4 = madd(c4, a, b), c5 = madd(c5, a, b), c6 = madd(c6, a, b), c7 = madd(c7, a, b);
    c8 = madd(c8, a, b), c9 = madd(c9, a, b), c10 = madd(c10, a, b), c11 = madd(c11, a, b);
  }
  store(out, add(add(add(c0, c1), add(c2, c3)), add(add(add(c4, c5), add(c6, c7)), add(add(c8, c9), add(c10, c11)))));
}
