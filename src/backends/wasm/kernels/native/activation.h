// exp, erf and the activations of vision transformers, four lanes at a time.
#pragma once
#include "simd.h"

// The numbers of activationCodes in native.ts.
enum { NONE = 0, GELU = 1, GELU_TANH = 2, QUICK_GELU = 3, RELU = 4, SILU = 5 };

// e^x within about 1 ulp (Cephes expf): x = n ln 2 + r, a degree-5 polynomial in r, then 2^n by the exponent bits.
// Below the smallest normal float the result is exactly 0; above the largest it stays finite; NaN stays NaN.
INLINE Vec expVec(Vec x) {
  const float lowest = -87.3365402f, highest = 88.3762589f;
  Vec clamped = atMost(atLeast(x, splat(lowest)), splat(highest));
  Vec n = wasm_f32x4_nearest(mul(clamped, splat(1.44269504088896341f)));
  // ln 2 in two parts, so that n ln 2 loses nothing
  Vec r = madd(n, splat(-0.693359375f), clamped);
  r = madd(n, splat(2.12194440e-4f), r);
  Vec p = splat(1.9875691500e-4f);
  p = madd(p, r, splat(1.3981999507e-3f));
  p = madd(p, r, splat(8.3334519073e-3f));
  p = madd(p, r, splat(4.1665795894e-2f));
  p = madd(p, r, splat(1.6666665459e-1f));
  p = madd(p, r, splat(5.0000001201e-1f));
  p = madd(p, mul(r, r), add(r, splat(1.0f)));
  Vec powerOfTwo = wasm_i32x4_shl(wasm_i32x4_add(wasm_i32x4_trunc_sat_f32x4(n), wasm_i32x4_splat(127)), 23);
  return wasm_v128_andnot(mul(p, powerOfTwo), wasm_f32x4_lt(x, splat(lowest)));
}

// erf within 1 ulp (N. Juffa's erff): an odd polynomial below 475/512, from there on 1 - e^(polynomial in |x|), which
// rounds to 1 before |x| = 4.
INLINE Vec erfVec(Vec x) {
  Vec t = atMost(wasm_f32x4_abs(x), splat(4.0f)), z = mul(t, t);
  Vec odd = splat(-5.96761703e-4f);
  odd = madd(odd, z, splat(4.99119423e-3f));
  odd = madd(odd, z, splat(-2.67681349e-2f));
  odd = madd(odd, z, splat(1.12819925e-1f));
  odd = madd(odd, z, splat(-3.76125336e-1f));
  odd = madd(odd, z, splat(1.28379166e-1f));
  Vec near = madd(odd, t, t);
  Vec tail = madd(splat(-1.72853470e-5f), t, splat(3.83197126e-4f));
  tail = madd(tail, z, madd(splat(-3.88396438e-3f), t, splat(2.42546219e-2f)));
  tail = madd(tail, t, splat(-1.06777877e-1f));
  tail = madd(tail, t, splat(-6.34846687e-1f));
  tail = madd(tail, t, splat(-1.28717512e-1f));
  tail = madd(tail, t, wasm_f32x4_neg(t));
  Vec far = sub(splat(1.0f), expVec(tail));
  Vec positive = wasm_v128_bitselect(far, near, wasm_f32x4_gt(t, splat(0.927734375f)));
  return wasm_v128_or(positive, wasm_v128_and(x, splat(-0.0f)));
}

// x / (1 + e^-t): x times the logistic sigmoid of t
INLINE Vec timesSigmoid(Vec x, Vec t) { return divide(x, add(splat(1.0f), expVec(wasm_f32x4_neg(t)))); }

// erf within 4e-7 (the rational approximation of Eigen and XLA) in less than half the time: what GELU uses, whose error
// is then at most 3e-7 max(1, |x|). Exactly 1 from |x| = 4 on, so that a large x has nothing to multiply.
INLINE Vec erfFast(Vec x) {
  Vec clamped = atMost(atLeast(x, splat(-4.0f)), splat(4.0f)), z = mul(clamped, clamped);
  Vec p = splat(-2.72614225801306e-10f);
  p = madd(p, z, splat(2.77068142495902e-08f));
  p = madd(p, z, splat(-2.10102402082508e-06f));
  p = madd(p, z, splat(-5.69250639462346e-05f));
  p = madd(p, z, splat(-7.34990630326855e-04f));
  p = madd(p, z, splat(-2.95459980854025e-03f));
  p = madd(p, z, splat(-1.60960333262415e-02f));
  p = mul(p, clamped);
  Vec q = splat(-1.45660718464996e-05f);
  q = madd(q, z, splat(-2.13374055278905e-04f));
  q = madd(q, z, splat(-1.68282697438203e-03f));
  q = madd(q, z, splat(-7.37332916720468e-03f));
  q = madd(q, z, splat(-1.42647390514189e-02f));
  Vec one = wasm_v128_or(splat(1.0f), wasm_v128_and(x, splat(-0.0f)));
  return wasm_v128_bitselect(one, divide(p, q), wasm_f32x4_ge(wasm_f32x4_abs(x), splat(4.0f)));
}

// x (1 + erf(x / sqrt 2)) / 2
INLINE Vec geluVec(Vec x) {
  Vec half = mul(x, splat(0.5f));
  return madd(half, erfFast(mul(x, splat(0.70710678118654752f))), half);
}

// x (1 + tanh u) / 2 with u = sqrt(2 / pi) (x + 0.044715 x^3), written as x sigmoid(2u)
INLINE Vec geluTanhVec(Vec x) {
  Vec cubic = madd(mul(mul(x, x), splat(0.044715f)), x, x);
  return timesSigmoid(x, mul(cubic, splat(1.5957691216057308f)));
}

INLINE Vec activateVec(Vec x, int activation) {
  switch (activation) {
    case GELU: return geluVec(x);
    case GELU_TANH: return geluTanhVec(x);
    case QUICK_GELU: return timesSigmoid(x, mul(x, splat(1.702f)));
    case RELU: return atLeast(x, splat(0.0f));
    case SILU: return timesSigmoid(x, x);
    default: return x;
  }
}
