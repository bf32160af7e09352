// Packed matrix product: left-hand rows as many at a time as a tile has, right-hand columns eight at a time.
#pragma once
#include "activation.h"
#include "tile.h"

// One right-hand panel of at most DEPTH_BLOCK x 8 floats (24 KiB) stays in the first-level cache while the packed
// left-hand block of ROW_BLOCK x DEPTH_BLOCK floats (768 KiB) streams past it from the second level. (Measured: 256 to
// 512 deep is 2 to 8 % slower, 1024 no faster; 128 rows 3 % slower.)
enum { ROW_BLOCK = 256, DEPTH_BLOCK = 768 };
// Rows of a panel are finished so many at once: from sums side by side, where rows of the result may lie a power of two
// apart, so that few of them fit in the cache together; and enough for the processor to overlap one with the next.
enum { FINISHED_ROWS = 24, SUMS = FINISHED_ROWS * TILE_COLUMNS };

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

// The same for two lanes.
INLINE void packTwo(const float *src, int across, int along, int lanes, int depth, float *dst, int dstStride) {
  int k = 0;
  if (lanes >= 2 && along == 1)
    for (; k + 4 <= depth; k += 4) {
      Vec r0 = load(src + k), r1 = load(src + across + k);
      Vec low = wasm_i32x4_shuffle(r0, r1, 0, 4, 1, 5), high = wasm_i32x4_shuffle(r0, r1, 2, 6, 3, 7);
      float *d = dst + k * dstStride;
      wasm_v128_store64_lane(d, low, 0);
      wasm_v128_store64_lane(d + dstStride, low, 1);
      wasm_v128_store64_lane(d + 2 * dstStride, high, 0);
      wasm_v128_store64_lane(d + 3 * dstStride, high, 1);
    }
  for (; k < depth; k++)
    for (int lane = 0; lane < 2; lane++) dst[k * dstStride + lane] = lane < lanes ? src[lane * across + k * along] : 0.0f;
}

// Rows i < rows of A (rowStride, colStride) into panels [ceil(rows / TILE_ROWS)][depth][TILE_ROWS].
static void packRows(const float *src, int rowStride, int colStride, int rows, int depth, float *dst) {
  for (int i = 0; i < rows; i += TILE_ROWS, dst += depth * TILE_ROWS) {
    packFour(src + i * rowStride, rowStride, colStride, rows - i, depth, dst, TILE_ROWS);
    if (TILE_ROWS == 6) packTwo(src + (i + 4) * rowStride, rowStride, colStride, rows - i - 4, depth, dst + 4, TILE_ROWS);
  }
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

// Eight sums become activation(sums + what is there before + shift) + residual, in `columns` of which they are stored.
INLINE void finishRow(const float *sums, Vec shift0, Vec shift1, const float *before, const float *residual, float *out, int columns, int activation) {
  Vec x0 = add(load(sums), shift0), x1 = add(load(sums + 4), shift1);
  if (before) x0 = add(x0, loadPartial(before, columns, 0.0f)), x1 = add(x1, loadPartial(before + 4, columns - 4, 0.0f));
  x0 = activateVec(x0, activation), x1 = activateVec(x1, activation);
  if (residual) x0 = add(x0, loadPartial(residual, columns, 0.0f)), x1 = add(x1, loadPartial(residual + 4, columns - 4, 0.0f));
  storePartial(out, x0, columns), storePartial(out + 4, x1, columns - 4);
}

// Rows of eight sums, fresh in the cache, into out (rows outStride apart, as those of the residual). Two rows at a time: four
// chains of dependent steps overlap, and share their constants.
OUT_OF_LINE void finishRows(const float *sums, const float *bias, const float *residual, float *out, int outStride, int rows, int columns,
                            int activation, int accumulate) {
  Vec shift0 = splat(0.0f), shift1 = shift0;
  if (bias) shift0 = loadPartial(bias, columns, 0.0f), shift1 = loadPartial(bias + 4, columns - 4, 0.0f);
  int i = 0;
  if (columns < TILE_COLUMNS) {
    for (; i < rows; i++, sums += TILE_COLUMNS, out += outStride)
      finishRow(sums, shift0, shift1, accumulate ? out : 0, residual ? residual + i * outStride : 0, out, columns, activation);
    return;
  }
#define CASE(code) \
  case code: \
    if (!residual && !accumulate) for (; i + 2 <= rows; i += 2, sums += 2 * TILE_COLUMNS, out += 2 * outStride) { \
      Vec x0 = activateVec(add(load(sums), shift0), code), x1 = activateVec(add(load(sums + 4), shift1), code); \
      Vec x2 = activateVec(add(load(sums + 8), shift0), code), x3 = activateVec(add(load(sums + 12), shift1), code); \
      store(out, x0), store(out + 4, x1), store(out + outStride, x2), store(out + outStride + 4, x3); \
    } \
    for (; i < rows; i++, sums += TILE_COLUMNS, out += outStride) \
      finishRow(sums, shift0, shift1, accumulate ? out : 0, residual ? residual + i * outStride : 0, out, TILE_COLUMNS, code); \
    break;
  switch (activation) { CASE(NONE) CASE(GELU) CASE(GELU_TANH) CASE(QUICK_GELU) CASE(RELU) CASE(SILU) }
#undef CASE
}

// Blocks of equal size, about `most` at most and whole tiles, rather than full ones and a rest.
INLINE int evenBlock(int n, int most) {
  int blocks = (n + most - 1) / most;
  return blocks <= 1 ? n : roundUp((n + blocks - 1) / blocks, WHOLE_ROWS);
}

// The factors of a product, packed once for all threads.
// Unit: WHOLE_ROWS rows of A [M, K], element (i, k) at i * rowStride + k * colStride, into [K][TILE_ROWS] each tile.
KERNEL(packLeft)(const float *A, int M, int K, int rowStride, int colStride, float *packed, SHARE) {
  int i = begin * WHOLE_ROWS;
  packRows(A + i * rowStride, rowStride, colStride, minInt(M, end * WHOLE_ROWS) - i, K, packed + i * K);
}

// Unit: eight columns of B [K, N], element (k, j) at k * rowStride + j * colStride, into [K][8].
KERNEL(packRight)(const float *B, int K, int N, int rowStride, int colStride, float *packed, SHARE) {
  int j = begin * TILE_COLUMNS;
  packColumns(B + j * colStride, rowStride, colStride, minInt(N, end * TILE_COLUMNS) - j, K, packed + j * K);
}

// out [rows, columns] (outStride apart) of a block of rows and some panels, all of the depth. `sums`: room for SUMS.
static void multiplyBlock(const float *left, int rows, int K, const float *right, int columns, const float *bias, int activation,
                          const float *residual, float *out, int outStride, int accumulate, float *sums) {
  int depthBlock = evenBlock(K, DEPTH_BLOCK), k0 = 0;
  do { // once even where K is 0: the sums are then zeros
    int depth = minInt(depthBlock, K - k0), last = k0 + depth >= K;
    for (int j = 0; j < columns; j += TILE_COLUMNS) {
      const float *panel = right + j * K + k0 * TILE_COLUMNS;
      for (int first = 0; first < rows; first += FINISHED_ROWS) {
        int some = minInt(FINISHED_ROWS, rows - first), at = first * outStride + j;
        multiplyTiles((some + TILE_ROWS - 1) / TILE_ROWS, left + first * K + k0 * TILE_ROWS, (K - depth) * TILE_ROWS, panel, depth, sums);
        finishRows(sums, last && bias ? bias + j : 0, last && residual ? residual + at : 0, out + at, outStride, some,
                   minInt(TILE_COLUMNS, columns - j), last ? activation : NONE, accumulate || k0 > 0);
      }
    }
    k0 += depth;
  } while (k0 < K);
}

// out [M, N] (rows outStride apart) = activation(A [M, K] B [K, N] + bias [N]) + residual (laid out as out), both factors
// packed. With accumulate, the product is added to what out holds, before all else. Unit: a panel of eight columns of one
// block of rows; the blocks one after the other. Scratch: SUMS.
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
  return 4 * (SUMS + roundUp(M, TILE_ROWS) * K + roundUp(N, TILE_COLUMNS) * K);
}

// Many products of one size. Unit: out[u] [M, N] = A[pairs[2u]] B[pairs[2u + 1]], packed in scratch; a B that serves several
// in a row is packed once.
KERNEL(products)(const float *A, const float *B, float *out, const int *pairs, int M, int K, int N, int aRow, int aColumn,
                 int bRow, int bColumn, SHARE) {
  float *left = scratch + SUMS, *right = left + roundUp(M, TILE_ROWS) * K;
  for (int u = begin, packed = -1; u < end; u++) {
    int b = pairs[2 * u + 1];
    if (b != packed) packColumns(B + b * K * N, bRow, bColumn, N, K, right);
    packed = b;
    packRows(A + pairs[2 * u] * M * K, aRow, aColumn, M, K, left);
    multiplyBlock(left, M, K, right, N, 0, NONE, 0, out + u * M * N, N, 0, scratch);
  }
}

// Multiplications and additions in registers and nothing else: what products are measured against. 96 operations a step.
// Chains of each are apart where they are no single instruction, or the sums would wait for the factors.
KERNEL(peak)(float *out, int steps) {
  Vec a = splat(1.0f), b = load(out);
  __asm__("" : "+r"(a)); // a product with 1 would be left out
  Vec c0 = b, c1 = b, c2 = b, c3 = b, c4 = b, c5 = b, c6 = b, c7 = b, c8 = b, c9 = b, c10 = b, c11 = b;
#ifdef RELAXED_SIMD
#define PAIR(x, y) x = madd(x, a, b), y = madd(y, a, b);
#define TWICE(x)
#else
#define PAIR(x, y) x = mul(x, a), y = add(y, x);
#define TWICE(x) x
#endif
#pragma clang loop unroll(disable)
  for (int i = 0; i < steps; i++) {
    PAIR(c0, c1) PAIR(c2, c3) PAIR(c4, c5) PAIR(c6, c7) PAIR(c8, c9) PAIR(c10, c11)
    TWICE(PAIR(c0, c1) PAIR(c2, c3) PAIR(c4, c5) PAIR(c6, c7) PAIR(c8, c9) PAIR(c10, c11))
  }
#undef PAIR
#undef TWICE
  store(out, add(add(add(c0, c1), add(c2, c3)), add(add(add(c4, c5), add(c6, c7)), add(add(c8, c9), add(c10, c11)))));
}
