// A tile of a product: some rows and eight columns of sums, in registers for all of the depth. The left-hand factor comes as
// [depth][rows], the right-hand one as [depth][8], so that the loop walks two contiguous streams.
//
// What limits 4x8 without multiply-add is the number of instructions, six a cycle with what the loop itself takes; with it,
// that each sum waits four cycles for the last, of which 6x8 hides more. So loops are unrolled. But V8 puts all loads of a
// basic block before its arithmetic, and a block of more than six spills the sums: a possible end after each step, or each
// row, keeps blocks small. GFLOP/s of one thread on Zen 4, where registers alone reach 59, unrolled 1, 2, 4 and 8 times:
// 4x8 under Node 20 42, 50, 53, 54; with multiply-add under Node 22 54 however often; 6x8 there 58, without multiply-add 36.
#pragma once
#include "simd.h"

#ifdef RELAXED_SIMD
enum { TILE_ROWS = 6 };
#else
enum { TILE_ROWS = 4 };
#endif
// Rows are shared out and blocked by as many as are whole tiles of either height.
enum { TILE_COLUMNS = 8, WHOLE_ROWS = 12 };

// The address itself, of which V8 then knows that the upper half of its register is zero, and need not clear it at each load.
INLINE const float *known(const float *p) { return (const float *)((unsigned)p & ~3u); }

#define SUMS(i) Vec c##i##0 = splat(0.0f), c##i##1 = c##i##0;
#define ROW(i, at) s = loadSplat(a + at), c##i##0 = madd(s, b0, c##i##0), c##i##1 = madd(s, b1, c##i##1);
#define KEEP(i) store(out + i * TILE_COLUMNS, c##i##0), store(out + i * TILE_COLUMNS + 4, c##i##1);
#define COLUMNS(at) Vec b0 = load(b + at * TILE_COLUMNS), b1 = load(b + at * TILE_COLUMNS + 4), s;
#define BLOCK_ENDS if (a == end) break;
// `a` moves on out of the compiler's sight, which would make it an offset: in a splatted load that is one more instruction.
#define ADVANCE(rows) a += rows; __asm__("" : "+r"(a));

// Tiles of some rows of a, one after the other: out [tiles][4][8] = a [tiles][depth][4]^T right [depth][8]. `skip` floats lie
// between the end of a tile of a and the next.
OUT_OF_LINE void multiplyFours(int tiles, const float *a, int skip, const float *right, int depth, float *out) {
  for (a = known(a); tiles > 0; tiles--, a += skip, out += 4 * TILE_COLUMNS) {
    const float *b = known(right), *end = a + depth * 4;
    SUMS(0) SUMS(1) SUMS(2) SUMS(3)
#define STEP(at) BLOCK_ENDS { COLUMNS(at) ROW(0, 0) ROW(1, 1) ROW(2, 2) ROW(3, 3) ADVANCE(4) }
#pragma clang loop unroll(disable)
    for (;; b += 8 * TILE_COLUMNS) { STEP(0) STEP(1) STEP(2) STEP(3) STEP(4) STEP(5) STEP(6) STEP(7) }
#undef STEP
    KEEP(0) KEEP(1) KEEP(2) KEEP(3)
  }
}

#ifdef RELAXED_SIMD
// The same, six rows at a time.
OUT_OF_LINE void multiplySixes(int tiles, const float *a, int skip, const float *right, int depth, float *out) {
  for (a = known(a); tiles > 0; tiles--, a += skip, out += 6 * TILE_COLUMNS) {
    const float *b = known(right), *end = a + depth * 6;
    SUMS(0) SUMS(1) SUMS(2) SUMS(3) SUMS(4) SUMS(5)
#define NEXT(i) ADVANCE(1) BLOCK_ENDS ROW(i, 0)
#define STEP(at) BLOCK_ENDS { COLUMNS(at) ROW(0, 0) NEXT(1) NEXT(2) NEXT(3) NEXT(4) NEXT(5) ADVANCE(1) }
#pragma clang loop unroll(disable)
    for (;; b += 4 * TILE_COLUMNS) { STEP(0) STEP(1) STEP(2) STEP(3) }
#undef STEP
#undef NEXT
    KEEP(0) KEEP(1) KEEP(2) KEEP(3) KEEP(4) KEEP(5)
  }
}
#define multiplyTiles multiplySixes
#else
#define multiplyTiles multiplyFours
#endif

#undef SUMS
#undef ROW
#undef KEEP
#undef COLUMNS
#undef BLOCK_ENDS
#undef ADVANCE
