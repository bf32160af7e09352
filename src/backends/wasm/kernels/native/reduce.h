// Reductions of the middle axis of x [outer][count][inner].
#pragma once
#include "simd.h"

// Rows are summed 64 at a time and those sums then added with what rounding took from them (Kahan, 1965), so that the
// error does not grow with their number.
enum { SUM_BLOCK = 64 };
INLINE void addExactly(Vec *total, Vec *lost, Vec part) {
  Vec rest = sub(part, *lost), sum = add(*total, rest);
  *lost = sub(sub(sum, *total), rest);
  *total = sum;
}

static float sumOfRun(const float *x, int count) {
  Vec total = splat(0.0f), lost = total;
  for (int k = 0; k < count; k += SUM_BLOCK * 4) {
    Vec part = splat(0.0f);
    int end = minInt(count, k + SUM_BLOCK * 4);
    for (int i = k; i < end; i += 4) part = add(part, loadPartial(x + i, end - i, 0.0f));
    addExactly(&total, &lost, part);
  }
  return sumOfLanes(total);
}

static float sumOfSquares(const float *x, int count) {
  Vec total = splat(0.0f), lost = total;
  for (int i = 0; i < count;) {
    Vec part0 = splat(0.0f), part1 = part0, part2 = part0, part3 = part0;
    int end = minInt(count, i + SUM_BLOCK * 16);
    for (; i + 16 <= end; i += 16) {
      Vec a = load(x + i), b = load(x + i + 4), c = load(x + i + 8), d = load(x + i + 12);
      part0 = madd(a, a, part0), part1 = madd(b, b, part1), part2 = madd(c, c, part2), part3 = madd(d, d, part3);
    }
    for (; i < end; i += 4) {
      Vec a = loadPartial(x + i, end - i, 0.0f);
      part0 = madd(a, a, part0);
    }
    addExactly(&total, &lost, add(add(part0, part1), add(part2, part3)));
  }
  return sumOfLanes(total);
}

// What reductions.ts writes: tensors, each in runs that are summed apart.
typedef struct { int at, size; } Piece;
enum { SQUARE_RUN = 4096 };

// Unit: sums[unit] = the sum of the squares of a run; they are counted through all pieces.
KERNEL(squareSums)(const Piece *piece, float *sums, SHARE) {
  for (int first = 0; first < end; piece++) {
    int runs = (piece->size + SQUARE_RUN - 1) / SQUARE_RUN;
    for (int run = maxInt(0, begin - first), last = minInt(runs, end - first); run < last; run++)
      sums[first + run] = sumOfSquares((const float *)piece->at + run * SQUARE_RUN, minInt(SQUARE_RUN, piece->size - run * SQUARE_RUN));
    first += runs;
  }
}

// y [outer][inner] = scale * the sum over the middle axis. Unit: eight of the inner axis; an outer row where inner is 1.
KERNEL(sumAxis)(const float *x, float *y, int count, int inner, float scale, SHARE) {
  if (inner == 1) {
    for (int o = begin; o < end; o++) y[o] = sumOfRun(x + o * count, count) * scale;
    return;
  }
  int pieces = (inner + 7) / 8;
  for (int unit = begin; unit < end; unit++) {
    int o = unit / pieces, i = unit % pieces * 8, left = inner - i;
    const float *source = x + o * count * inner + i;
    Vec total0 = splat(0.0f), total1 = total0, lost0 = total0, lost1 = total0;
    for (int k = 0; k < count; k += SUM_BLOCK) {
      Vec part0 = splat(0.0f), part1 = part0;
      const float *from = source + k * inner, *to = source + minInt(count, k + SUM_BLOCK) * inner;
      if (left >= 8) for (; from != to; from += inner) part0 = add(part0, load(from)), part1 = add(part1, load(from + 4));
      else for (; from != to; from += inner) part0 = add(part0, loadPartial(from, left, 0.0f)), part1 = add(part1, loadPartial(from + 4, left - 4, 0.0f));
      addExactly(&total0, &lost0, part0);
      addExactly(&total1, &lost1, part1);
    }
    storePartial(y + o * inner + i, mul(total0, splat(scale)), left);
    storePartial(y + o * inner + i + 4, mul(total1, splat(scale)), left - 4);
  }
}

// y [outer][inner] = the largest along the middle axis, NaN where there is one. Unit: four of the inner axis; an outer row where inner is 1.
KERNEL(maxAxis)(const float *x, float *y, int count, int inner, SHARE) {
  const float lowest = -__builtin_inff();
  int pieces = inner == 1 ? 1 : (inner + 3) / 4;
  for (int unit = begin; unit < end; unit++) {
    Vec most = splat(lowest);
    if (inner == 1) {
      const float *from = x + unit * count;
      for (int i = 0; i < count; i += 4) most = wasm_f32x4_max(most, loadPartial(from + i, count - i, lowest));
      most = wasm_f32x4_max(most, wasm_i32x4_shuffle(most, most, 2, 3, 0, 1));
      y[unit] = wasm_f32x4_extract_lane(wasm_f32x4_max(most, wasm_i32x4_shuffle(most, most, 1, 0, 3, 2)), 0);
      continue;
    }
    int o = unit / pieces, i = unit % pieces * 4, left = inner - i;
    const float *from = x + o * count * inner + i, *to = from + count * inner;
    for (; from != to; from += inner) most = wasm_f32x4_max(most, loadPartial(from, left, lowest));
    storePartial(y + o * inner + i, most, left);
  }
}
