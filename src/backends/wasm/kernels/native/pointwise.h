// Functions of one number and of two, over runs of them.
#pragma once
#include "activation.h"

// Beyond the activations: the numbers of unaryCodes in native.ts.
enum { ERF = 6, EXP, LOG, ROOT, INVERSE_ROOT, TANH, SIGMOID, POSITIVE, SQUARE, CUBE, RECIPROCAL };
// A unit of elementwise work, in elements.
enum { RUN = 1024 };

// e^x to the end of the range, where expVec stays finite
INLINE Vec fullExp(Vec x) {
  Vec e = expVec(x), large = wasm_f32x4_gt(x, splat(88.0f));
  if (!wasm_v128_any_true(large)) return e;
  Vec half = expVec(mul(x, splat(0.5f)));
  return wasm_v128_bitselect(mul(half, half), e, large);
}

// ln x within 1 ulp (N. Juffa's logf): x = m 2^e with m in [2/3, 4/3), a polynomial in m - 1.
INLINE Vec logVec(Vec x) {
  Vec small = wasm_f32x4_lt(x, splat(1.17549435e-38f));
  Vec a = wasm_v128_bitselect(mul(x, splat(8388608.0f)), x, small);
  Vec exponent = wasm_v128_and(wasm_i32x4_sub(a, wasm_i32x4_splat(0x3f2aaaab)), wasm_i32x4_splat((int)0xff800000));
  Vec m = sub(wasm_i32x4_sub(a, exponent), splat(1.0f)), s = mul(m, m);
  Vec i = madd(wasm_f32x4_convert_i32x4(exponent), splat(1.19209290e-7f), wasm_v128_and(small, splat(-23.0f)));
  Vec r = madd(splat(-0.130310059f), s, splat(-0.121483512f)), t = madd(splat(0.140869141f), s, splat(0.139814854f));
  r = madd(r, s, splat(-0.166846126f));
  t = madd(t, s, splat(0.200120345f));
  r = madd(r, s, splat(-0.249996200f));
  r = madd(t, m, r);
  r = madd(r, m, splat(0.333331972f));
  r = madd(r, m, splat(-0.5f));
  r = madd(r, s, m);
  r = madd(i, splat(0.693147182f), r);
  // infinity and NaN as they are, -infinity for 0, NaN below
  Vec ordinary = wasm_v128_and(wasm_f32x4_gt(x, splat(0.0f)), wasm_f32x4_lt(x, splat(__builtin_inff())));
  Vec special = wasm_v128_bitselect(splat(-__builtin_inff()), wasm_v128_bitselect(splat(__builtin_nanf("")), x, wasm_f32x4_lt(x, splat(0.0f))), wasm_f32x4_eq(x, splat(0.0f)));
  return wasm_v128_bitselect(r, special, ordinary);
}

// tanh x (Cephes tanhf): an odd polynomial below 0.625, from there on 1 - 2 / (e^2x + 1)
INLINE Vec tanhVec(Vec x) {
  Vec t = wasm_f32x4_abs(x), z = mul(x, x);
  Vec p = madd(splat(-5.70498872745e-3f), z, splat(2.06390887954e-2f));
  p = madd(p, z, splat(-5.37397155531e-2f));
  p = madd(p, z, splat(1.33314422036e-1f));
  p = madd(p, z, splat(-3.33332819422e-1f));
  Vec near = madd(mul(p, z), x, x);
  Vec far = sub(splat(1.0f), divide(splat(2.0f), add(expVec(add(t, t)), splat(1.0f))));
  far = wasm_v128_or(far, wasm_v128_and(x, splat(-0.0f)));
  return wasm_v128_bitselect(far, near, wasm_f32x4_ge(t, splat(0.625f)));
}

// 1 where x > 0, 0 where not, NaN where x is
INLINE Vec positiveVec(Vec x) {
  Vec one = wasm_v128_and(wasm_f32x4_gt(x, splat(0.0f)), splat(1.0f));
  return wasm_v128_bitselect(x, one, wasm_f32x4_ne(x, x));
}

INLINE Vec unaryVec(Vec x, int fn) {
  switch (fn) {
    case ERF: return erfVec(x);
    case EXP: return fullExp(x);
    case LOG: return logVec(x);
    case ROOT: return wasm_f32x4_sqrt(x);
    case INVERSE_ROOT: return divide(splat(1.0f), wasm_f32x4_sqrt(x));
    case TANH: return tanhVec(x);
    case SIGMOID: return divide(splat(1.0f), add(splat(1.0f), expVec(wasm_f32x4_neg(x))));
    case POSITIVE: return positiveVec(x);
    case SQUARE: return mul(x, x);
    case CUBE: return mul(mul(x, x), x);
    case RECIPROCAL: return divide(splat(1.0f), x);
    default: return activateVec(x, fn);
  }
}

OUT_OF_LINE Vec unaryFour(Vec x, int fn) { return unaryVec(x, fn); }

// y = fn(x) for `size` numbers. Unit: a run of them.
KERNEL(unary)(const float *x, float *y, int size, int fn, SHARE) {
  int i = begin * RUN, last = minInt(size, end * RUN);
  switch (fn) {
    // eight at a time: each function is a chain of dependent steps, and two chains overlap
#define CASE(code) \
  case code: \
    for (; i + 8 <= last; i += 8) { \
      Vec x0 = load(x + i), x1 = load(x + i + 4); \
      store(y + i, unaryVec(x0, code)), store(y + i + 4, unaryVec(x1, code)); \
    } \
    break;
    CASE(GELU) CASE(GELU_TANH) CASE(QUICK_GELU) CASE(RELU) CASE(SILU) CASE(ERF) CASE(EXP) CASE(LOG) CASE(ROOT) CASE(INVERSE_ROOT)
    CASE(TANH) CASE(SIGMOID) CASE(POSITIVE) CASE(SQUARE) CASE(CUBE) CASE(RECIPROCAL)
#undef CASE
  }
  for (; i < last; i += 4) storePartial(y + i, unaryFour(loadPartial(x + i, last - i, 0.0f), fn), last - i);
}

// The numbers of binaryCodes in native.ts.
enum { OF_ADD = 0, OF_SUBTRACT, OF_MULTIPLY, OF_DIVIDE, OF_MAXIMUM, OF_MINIMUM };

INLINE Vec binaryVec(Vec a, Vec b, int fn) {
  switch (fn) {
    case OF_ADD: return add(a, b);
    case OF_SUBTRACT: return sub(a, b);
    case OF_MULTIPLY: return mul(a, b);
    case OF_DIVIDE: return divide(a, b);
    case OF_MAXIMUM: return wasm_f32x4_max(a, b); // NaN where either is
    default: return wasm_f32x4_min(a, b);
  }
}

// How two operands meet: what pointwise.ts writes. The result is dense: `outer` axes, then runs along which each operand
// either goes on or stays.
typedef struct {
  int run, aStep, bStep, outer;
  struct { int size, aStride, bStride; } axes[];
} Meeting;

INLINE void binaryRun(const float *a, const float *b, float *y, int count, int aStep, int bStep, int fn) {
  Vec a0 = splat(*a), b0 = splat(*b), a1 = a0, b1 = b0;
  int i = 0;
  for (; i + 8 <= count; i += 8) {
    if (aStep) a0 = load(a + i), a1 = load(a + i + 4);
    if (bStep) b0 = load(b + i), b1 = load(b + i + 4);
    store(y + i, binaryVec(a0, b0, fn)), store(y + i + 4, binaryVec(a1, b1, fn));
  }
  for (; i < count; i += 4) {
    if (aStep) a0 = loadPartial(a + i, count - i, 1.0f);
    if (bStep) b0 = loadPartial(b + i, count - i, 1.0f);
    storePartial(y + i, binaryVec(a0, b0, fn), count - i);
  }
}

// y = fn(a, b). Unit: a piece of a run.
KERNEL(binary)(const float *a, const float *b, float *y, const Meeting *m, int fn, SHARE) {
  int pieces = (m->run + RUN - 1) / RUN;
  for (int unit = begin; unit < end; unit++) {
    int from = unit % pieces * RUN, count = minInt(RUN, m->run - from), rest = unit / pieces;
    const float *p = a + from * m->aStep, *q = b + from * m->bStep;
    float *to = y + rest * m->run + from;
    for (int axis = m->outer - 1; axis >= 0; axis--) {
      int at = rest % m->axes[axis].size;
      rest /= m->axes[axis].size;
      p += at * m->axes[axis].aStride, q += at * m->axes[axis].bStride;
    }
#define CASE(code) \
  case code: \
    if (!m->bStep) binaryRun(p, q, to, count, 1, 0, code); \
    else if (!m->aStep) binaryRun(p, q, to, count, 0, 1, code); \
    else binaryRun(p, q, to, count, 1, 1, code); \
    break;
    switch (fn) { CASE(OF_ADD) CASE(OF_SUBTRACT) CASE(OF_MULTIPLY) CASE(OF_DIVIDE) CASE(OF_MAXIMUM) CASE(OF_MINIMUM) }
#undef CASE
  }
}
