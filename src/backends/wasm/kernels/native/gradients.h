// The backward halves of the row kernels: gradients of activations, softmax and layer norm.
#pragma once
#include "pointwise.h"

// gelu'(x), for the forms of activation.h
INLINE Vec geluSlope(Vec x, int form) {
  Vec one = splat(1.0f);
  if (form == GELU) {
    // Within 1.4e-6: below 0 it is the share of a normal distribution below x, by Abramowitz and Stegun 7.1.28, and x times its
    // density; above, what is left of 1 by that of -x.
    Vec t = atLeast(wasm_v128_or(x, splat(-0.0f)), splat(-1e18f));
    Vec p = madd(splat(5.62129981e-06f), t, splat(-5.1055209e-05f));
    p = madd(p, t, splat(3.9686136e-05f));
    p = madd(p, t, splat(-3.42273922e-03f));
    p = madd(p, t, splat(2.20769979e-02f));
    p = madd(p, t, splat(-5.20751625e-02f));
    p = madd(p, t, splat(1.04427373f));
    Vec q = divide(one, p), density = mul(expFalling(mul(mul(t, t), splat(-0.5f))), splat(0.3989422804014327f));
    q = mul(q, q), q = mul(q, q), q = mul(q, q), q = mul(q, q);
    Vec below = madd(t, density, q);
    return wasm_v128_bitselect(below, sub(one, below), wasm_f32x4_lt(x, splat(0.0f)));
  }
  // x s(t) has the slope s (1 + x (1 - s) t'), s being the logistic sigmoid. Beyond 60 it is 0 or 1 to the last digit, while
  // its factors are near 0 and without bound.
  x = atMost(atLeast(x, splat(-60.0f)), splat(60.0f));
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

// dx = dy gelu'(x). Unit: a run.
KERNEL(geluGradient)(const float *x, const float *dy, float *dx, int size, int form, SHARE) {
  int i = begin * RUN, last = minInt(size, end * RUN);
#define LOOP(code) \
  for (; i + 8 <= last; i += 8) { \
    Vec a = geluSlope(load(x + i), code), b = geluSlope(load(x + i + 4), code); \
    store(dx + i, mul(a, load(dy + i))), store(dx + i + 4, mul(b, load(dy + i + 4))); \
  }
  if (form == GELU) LOOP(GELU) else if (form == GELU_TANH) LOOP(GELU_TANH) else LOOP(QUICK_GELU)
#undef LOOP
  for (; i < last; i += 4) {
    int rest = last - i;
    storePartial(dx + i, mul(geluSlope(loadPartial(x + i, rest, 0.0f), form), loadPartial(dy + i, rest, 0.0f)), rest);
  }
}

// dx = y (dy - sum of y dy). Unit: a row.
KERNEL(softmaxGradient)(const float *y, const float *dy, float *dx, int width, SHARE) {
  y += begin * width, dy += begin * width, dx += begin * width;
  for (int r = begin; r < end; r++, y += width, dy += width, dx += width) {
    Vec dot = splat(0.0f);
    for (int i = 0; i < width; i += 4) dot = madd(loadPartial(y + i, width - i, 0.0f), loadPartial(dy + i, width - i, 0.0f), dot);
    dot = splat(sumOfLanes(dot));
    for (int i = 0; i < width; i += 4)
      storePartial(dx + i, mul(loadPartial(y + i, width - i, 0.0f), sub(loadPartial(dy + i, width - i, 0.0f), dot)), width - i);
  }
}

// With z the normalised row and g = dy gamma: dx = (g - mean g - z mean(g z)) / sigma. The mean is corrected as in
// layerNorm. Unit: a row.
KERNEL(layerNormGradient)(const float *x, const float *dy, const float *gamma, float *dx, int width, float epsilon, SHARE) {
  Vec zero = splat(0.0f), one = splat(1.0f);
  x += begin * width, dy += begin * width, dx += begin * width;
  for (int r = begin; r < end; r++, x += width, dy += width, dx += width) {
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
