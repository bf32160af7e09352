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

// e^x for x <= 0, as softmax needs it: within 1.4e-7 absolutely, 3e-7 relatively above e^-2. Half the work of expVec. The sum with
// 1.5 2^23 + 127 rounds x / ln 2 to a whole number and leaves the biased exponent in the lowest bits; below the smallest normal
// float that exponent, and the result, is 0. NaN stays NaN.
INLINE Vec expFalling(Vec x) {
  const Vec round = splat(12583039.0f);
  Vec clamped = atLeast(x, splat(-88.03f)), t = madd(clamped, splat(1.44269504088896341f), round);
  Vec r = madd(sub(t, round), splat(-0.693147180559945309f), clamped);
  Vec p = madd(splat(8.2538e-3f), r, splat(4.18935e-2f));
  p = madd(p, r, splat(1.6668148e-1f));
  p = madd(p, r, splat(4.9999212e-1f));
  p = madd(p, r, splat(9.9999963e-1f));
  p = madd(p, r, splat(1.0f));
  return mul(p, wasm_i32x4_shl(t, 23));
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

// x / (1 + e^-t): x times the logistic sigmoid of t, which goes the way of x. Where expVec stays finite nothing must be left
// of the x that is divided: what is infinite below gives 0, where the definitions multiply it by 0.
INLINE Vec timesSigmoid(Vec x, Vec t) { return divide(atLeast(x, splat(-1e18f)), add(splat(1.0f), expVec(wasm_f32x4_neg(t)))); }

// x (1 + erf(x / sqrt 2)) / 2 within 6e-7, as the larger of x and 0 less |x| p(|x|)^-16: the form of Abramowitz and Stegun
// 7.1.28, fitted to what GELU needs of it (2.2e-7 but for rounding). Half the work of the quotient for erf: ViT-Ti is 1.03 times faster. In
// -|x|, which is one instruction. What is infinite must have no power of 0 to multiply.
INLINE Vec geluVec(Vec x) {
  Vec t = atLeast(wasm_v128_or(x, splat(-0.0f)), splat(-1e18f));
  Vec p = madd(splat(6.98800367e-06f), t, splat(-3.96493069e-05f));
  p = madd(p, t, splat(7.53219175e-05f));
  p = madd(p, t, splat(-3.37051117e-03f));
  p = madd(p, t, splat(2.21137163e-02f));
  p = madd(p, t, splat(-5.20639781e-02f));
  p = madd(p, t, splat(1.04427484f));
  Vec q = divide(splat(1.0f), p);
  q = mul(q, q), q = mul(q, q), q = mul(q, q), q = mul(q, q);
  return madd(t, q, atLeast(x, splat(0.0f)));
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
