// Packed matrix product. Left-hand rows are packed four at a time ([depth][4]), right-hand columns eight at a time
// ([depth][8]), so that the inner loop walks two contiguous streams and keeps a 4x8 tile of sums in registers.
// (A 6x8 tile needs more than the 15 vector registers V8 has to give, and spills.)
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
    Vec b0 = load(b), b1 = load(b + 4), column = load(a), s;
    s = wasm_i32x4_shuffle(column, column, 0, 0, 0, 0), c00 = madd(s, b0, c00), c01 = madd(s, b1, c01);
    s = wasm_i32x4_shuffle(column, column, 1, 1, 1, 1), c10 = madd(s, b0, c10), c11 = madd(s, b1, c11);
    s = wasm_i32x4_shuffle(column, column, 2, 2, 2, 2), c20 = madd(s, b0, c20), c21 = madd(s, b1, c21);
    s = wasm_i32x4_shuffle(column, column, 3, 3, 3, 3), c30 = madd(s, b0, c30), c31 = madd(s, b1, c31);
  }
  store(o0, c00), store(o0 + 4, c01), store(o1, c10), store(o1 + 4, c11);
  store(o2, c20), store(o2 + 4, c21), store(o3, c30), store(o3 + 4, c31);
}

// Copies the part of a tile that exists, where it hangs over the edge of the output.
static void copyEdge(const float *src, int srcStride, float *dst, int dstStride, int rows, int columns) {
  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++) dst[i * dstStride + j] = src[i * srcStride + j];
}

// tile = activation(tile + bias) + residual on eight-wide rows of sums, fresh in the cache; `columns` of them exist in
// bias and residual.
OUT_OF_LINE void finishTile(float *tile, int tileStride, const float *bias, const float *residual, int residualStride,
                            int rows, int columns, int activation) {
  Vec zero = splat(0.0f), shift0 = zero, shift1 = zero;
  if (bias) shift0 = loadPartial(bias, columns, 0.0f), shift1 = loadPartial(bias + 4, columns - 4, 0.0f);
  for (int i = 0; i < rows; i++, tile += tileStride) {
    store(tile, add(load(tile), shift0));
    store(tile + 4, add(load(tile + 4), shift1));
    if (activation != NONE) activateEight(tile, tile, activation);
    if (residual) {
      store(tile, add(load(tile), loadPartial(residual, columns, 0.0f)));
      store(tile + 4, add(load(tile + 4), loadPartial(residual + 4, columns - 4, 0.0f)));
      residual += residualStride;
    }
  }
}

// Blocks of equal size, at most `most` and a multiple of four, rather than full ones and a rest.
INLINE int evenBlock(int n, int most) {
  int blocks = (n + most - 1) / most;
  return blocks <= 1 ? n : roundUp((n + blocks - 1) / blocks, 4);
}

static unsigned gemmScratchFloats(int M, int K) {
  return TILE_ROWS * TILE_COLUMNS + roundUp(evenBlock(M, ROW_BLOCK), TILE_ROWS) * evenBlock(K, DEPTH_BLOCK);
}

// out [M, N] = activation(A [M, K] B [K, N] + bias [N]) + residual [M, N]; B as packed by packColumns. With accumulate, the
// product is added to what out holds, before all else.
static void multiply(const float *A, int M, int K, int rowStride, int colStride, const float *packed, int N,
                     const float *bias, int activation, const float *residual, float *out, float *scratch, int accumulate) {
  float *edge = scratch, *block = scratch + TILE_ROWS * TILE_COLUMNS;
  int rowBlock = evenBlock(M, ROW_BLOCK), depthBlock = evenBlock(K, DEPTH_BLOCK);
  int finish = bias || residual || activation != NONE;
  for (int i0 = 0; i0 < M; i0 += rowBlock) {
    int rows = minInt(rowBlock, M - i0), k0 = 0;
    do { // once even where K is 0: the sums are then zeros
      int depth = minInt(depthBlock, K - k0), last = k0 + depth >= K, onTop = accumulate || k0 > 0;
      packRows(A + i0 * rowStride + k0 * colStride, rowStride, colStride, rows, depth, block);
      for (int j = 0; j < N; j += TILE_COLUMNS) {
        const float *panel = packed + j * K + k0 * TILE_COLUMNS;
        int width = minInt(TILE_COLUMNS, N - j);
        for (int i = 0; i < rows; i += TILE_ROWS) {
          int at = (i0 + i) * N + j, height = minInt(TILE_ROWS, rows - i);
          int whole = width == TILE_COLUMNS && height == TILE_ROWS;
          float *tile = whole ? out + at : edge;
          int stride = whole ? N : TILE_COLUMNS;
          if (!whole && onTop) copyEdge(out + at, N, edge, TILE_COLUMNS, height, width);
          multiplyTile(block + i * depth, panel, depth, tile, stride, onTop);
          if (finish && last)
            finishTile(tile, stride, bias ? bias + j : 0, residual ? residual + at : 0, N, height, width, activation);
          if (!whole) copyEdge(edge, TILE_COLUMNS, out + at, N, height, width);
        }
      }
      k0 += depth;
    } while (k0 < K);
  }
}
