// The backward halves of the row kernels: gradients of activations, softmax and layer norm, and sums over an axis.
#pragma once
#include "gemm.h"

// gelu'(x), for the forms of activation.h
INLINE Vec geluSlope(Vec x, int form) {
  Vec one = splat(1.0f);
  if (form == GELU) {
    Vec cumulative = madd(erfFast(mul(x, splat(0.70710678118654752f))), splat(0.5f), splat(0.5f));
    Vec density = mul(expVec(mul(mul(x, x), splat(-0.5f))), splat(0.3989422804014327f));
    return madd(x, density, cumulative);
  }
  // x s(t) has the slope s (1 + x (1 - s) t'), s being the logistic sigmoid
  Vec t, slope;
  if (form == GELU_TANH) {
    Vec square = mul(x, x);
    t = mul(mul(x, splat(1.5957691216057308f)), madd(square, splat(0.044715f), one));
    slope = mul(splat(1.5957691216057308f), madd(square, splat(0.134145f), one));
  } else {
    t = mul(x, splat(1.702f));
    slope = splat(1.702f);
  }
  // 1 - s as e^-t s, which does not cancel
  Vec e = expVec(wasm_f32x4_neg(t)), s = divide(one, add(one, e));
  return mul(s, madd(mul(x, mul(e, s)), slope, one));
}

// dx = dy gelu'(x)
KERNEL(geluGradient)(const float *x, const float *dy, float *dx, int size, int form) {
  int i = 0;
#define LOOP(code) \
  for (; i + 8 <= size; i += 8) { \
    Vec a = geluSlope(load(x + i), code), b = geluSlope(load(x + i + 4), code); \
    store(dx + i, mul(a, load(dy + i))), store(dx + i + 4, mul(b, load(dy + i + 4))); \
  }
  if (form == GELU) LOOP(GELU) else if (form == GELU_TANH) LOOP(GELU_TANH) else LOOP(QUICK_GELU)
#undef LOOP
  for (; i < size; i += 4) {
    int rest = size - i;
    storePartial(dx + i, mul(geluSlope(loadPartial(x + i, rest, 0.0f), form), loadPartial(dy + i, rest, 0.0f)), rest);
  }
}

// dx = y (dy - sum of y dy) along rows
KERNEL(softmaxGradient)(const float *y, const float *dy, float *dx, int rows, int width) {
  for (int r = 0; r < rows; r++, y += width, dy += width, dx += width) {
    Vec dot = splat(0.0f);
    for (int i = 0; i < width; i += 4) dot = madd(loadPartial(y + i, width - i, 0.0f), loadPartial(dy + i, width - i, 0.0f), dot);
    dot = splat(sumOfLanes(dot));
    for (int i = 0; i < width; i += 4)
      storePartial(dx + i, mul(loadPartial(y + i, width - i, 0.0f), sub(loadPartial(dy + i, width - i, 0.0f), dot)), width - i);
  }
}

// With z the normalised row and g = dy gamma: dx = (g - mean g - z mean(g z)) / sigma. The mean is corrected as in
// layerNorm.
KERNEL(layerNormGradient)(const float *x, const float *dy, const float *gamma, float *dx, int rows, int width, float epsilon) {
  Vec zero = splat(0.0f), one = splat(1.0f);
  for (int r = 0; r < rows; r++, x += width, dy += width, dx += width) {
    Vec sum = zero;
    for (int i = 0; i < width; i += 4) sum = add(sum, loadPartial(x + i, width - i, 0.0f));
    float mean = sumOfLanes(sum) / width;
    Vec means = splat(mean), rest = zero, squares = zero, slopes = zero, along = zero;
    for (int i = 0; i < width; i += 4) {
      int count = width - i;
      Vec centred = sub(loadPartial(x + i, count, mean), means), g = loadPartial(dy + i, count, 0.0f);
      if (gamma) g = mul(g, loadPartial(gamma + i, count, 0.0f));
      rest = add(rest, centred);
      squares = madd(centred, centred, squares);
      slopes = add(slopes, g);
      along = madd(g, centred, along);
    }
    float remainder = sumOfLanes(rest) / width, slope = sumOfLanes(slopes);
    float variance = sumOfLanes(squares) / width - remainder * remainder;
    if (variance < 0.0f) variance = 0.0f;
    float inverse = 1.0f / __builtin_sqrtf(variance + epsilon);
    float projection = (sumOfLanes(along) - remainder * slope) / width * inverse * inverse;
    Vec remainders = splat(remainder), inverses = splat(inverse), average = splat(slope / width), projections = splat(projection);
    for (int i = 0; i < width; i += 4) {
      int count = width - i;
      Vec centred = sub(sub(loadPartial(x + i, count, mean), means), remainders), g = loadPartial(dy + i, count, 0.0f);
      g = mul(g, gamma ? loadPartial(gamma + i, count, 0.0f) : one);
      storePartial(dx + i, mul(sub(sub(g, average), mul(centred, projections)), inverses), count);
    }
  }
}

// Rows are summed 64 at a time and those sums then added with what rounding took from them (Kahan, 1965), so that the
// error does not grow with their number.
enum { SUM_BLOCK = 64 };
INLINE void addExactly(Vec *total, Vec *lost, Vec part) {
  Vec rest = sub(part, *lost), sum = add(*total, rest);
  *lost = sub(sub(sum, *total), rest);
  *total = sum;
}

// y[outer][inner] = scale * the sum of x[outer][count][inner] over the middle axis
KERNEL(sumAxis)(const float *x, float *y, int outer, int count, int inner, float scale) {
  for (int o = 0; o < outer; o++, x += count * inner, y += inner) {
    if (inner == 1) {
      Vec total = splat(0.0f), lost = total;
      for (int k = 0; k < count; k += SUM_BLOCK * 4) {
        Vec part = splat(0.0f);
        int end = minInt(count, k + SUM_BLOCK * 4);
        for (int i = k; i < end; i += 4) part = add(part, loadPartial(x + i, end - i, 0.0f));
        addExactly(&total, &lost, part);
      }
      y[0] = sumOfLanes(total) * scale;
      continue;
    }
    for (int i = 0; i < inner; i += 8) {
      int left = inner - i;
      Vec total0 = splat(0.0f), total1 = total0, lost0 = total0, lost1 = total0;
      for (int k = 0; k < count; k += SUM_BLOCK) {
        Vec part0 = splat(0.0f), part1 = part0;
        const float *from = x + k * inner + i, *end = x + minInt(count, k + SUM_BLOCK) * inner + i;
        if (left >= 8) for (; from != end; from += inner) part0 = add(part0, load(from)), part1 = add(part1, load(from + 4));
        else for (; from != end; from += inner) part0 = add(part0, loadPartial(from, left, 0.0f)), part1 = add(part1, loadPartial(from + 4, left - 4, 0.0f));
        addExactly(&total0, &lost0, part0);
        addExactly(&total1, &lost1, part1);
      }
      storePartial(y + i, mul(total0, splat(scale)), left);
      storePartial(y + i + 4, mul(total1, splat(scale)), left - 4);
    }
  }
}

// Floats of scratch for weightGradient: one block of x packed, beside what the product itself needs.
MEASURE(weightGradientScratchBytes)(int out, int in, int rows) {
  int depth = evenBlock(rows, DEPTH_BLOCK);
  return 4 * (roundUp(in, TILE_COLUMNS) * depth + gemmScratchFloats(out, depth));
}

// dw [out, in] = or += dy^T x over rows, dy and x having rows of their own strides. x is packed a block at a time, so that
// scratch does not grow with the rows.
KERNEL(weightGradient)(const float *dy, int dyStride, const float *x, int xStride, float *dw, int rows, int out, int in,
                       int accumulate, float *scratch) {
  int block = evenBlock(rows, DEPTH_BLOCK);
  float *rest = scratch + roundUp(in, TILE_COLUMNS) * block;
  int r = 0;
  do { // once even where there are no rows: the sums are then zeros
    int depth = minInt(block, rows - r);
    packColumns(x + r * xStride, xStride, 1, in, depth, scratch);
    multiply(dy + r * dyStride, out, depth, 1, dyStride, scratch, in, 0, NONE, 0, dw, rest, accumulate || r > 0);
    r += depth;
  } while (r < rows);
}
