// Vector vocabulary shared by every kernel: four float32 lanes, partial loads and stores, 4x4 transposition.
#pragma once
#include <wasm_simd128.h>

typedef v128_t Vec;

// A kernel does the units from `begin` up to `end` of its work; what a unit is, it says. Threads take ranges of units as they
// come: no unit's result depends on which others are done beside it. `scratch` belongs to the thread.
#define KERNEL(name) __attribute__((export_name(#name))) void name
#define SHARE __attribute__((unused)) float *scratch, int begin, int end
#define MEASURE(name) __attribute__((export_name(#name))) unsigned name
#define INLINE static inline __attribute__((always_inline))
#define OUT_OF_LINE static __attribute__((noinline))

#define splat wasm_f32x4_splat
#define add wasm_f32x4_add
#define sub wasm_f32x4_sub
#define mul wasm_f32x4_mul
#define divide wasm_f32x4_div
#define load wasm_v128_load
#define loadSplat wasm_v128_load32_splat
#define store wasm_v128_store
// "Pseudo" minimum and maximum are one machine instruction each. A NaN in the first argument survives.
#define atMost wasm_f32x4_pmin
#define atLeast wasm_f32x4_pmax

// a * b + c. The relaxed form is one fused instruction where the machine has it.
#ifdef RELAXED_SIMD
#define madd(a, b, c) __builtin_wasm_relaxed_madd_f32x4(a, b, c)
#else
#define madd(a, b, c) add(mul(a, b), c)
#endif

INLINE int minInt(int a, int b) { return a < b ? a : b; }
INLINE int maxInt(int a, int b) { return a > b ? a : b; }
INLINE int roundUp(int n, int multiple) { return (n + multiple - 1) / multiple * multiple; }

// The first `count` (0..4) floats at p, `fill` in the remaining lanes; reads nothing beyond them.
INLINE Vec loadPartial(const float *p, int count, float fill) {
  Vec v = splat(fill);
  if (count >= 4) return load(p);
  if (count > 0) v = wasm_v128_load32_lane(p, v, 0);
  if (count > 1) v = wasm_v128_load32_lane(p + 1, v, 1);
  if (count > 2) v = wasm_v128_load32_lane(p + 2, v, 2);
  return v;
}

// Stores the first `count` (0..4) lanes and touches nothing beyond them.
INLINE void storePartial(float *p, Vec v, int count) {
  if (count >= 4) { store(p, v); return; }
  if (count > 0) wasm_v128_store32_lane(p, v, 0);
  if (count > 1) wasm_v128_store32_lane(p + 1, v, 1);
  if (count > 2) wasm_v128_store32_lane(p + 2, v, 2);
}

INLINE float sumOfLanes(Vec v) {
  v = add(v, wasm_i32x4_shuffle(v, v, 2, 3, 0, 1));
  v = add(v, wasm_i32x4_shuffle(v, v, 1, 0, 3, 2));
  return wasm_f32x4_extract_lane(v, 0);
}

INLINE float maxOfLanes(Vec v) {
  v = atLeast(v, wasm_i32x4_shuffle(v, v, 2, 3, 0, 1));
  v = atLeast(v, wasm_i32x4_shuffle(v, v, 1, 0, 3, 2));
  return wasm_f32x4_extract_lane(v, 0);
}

// Rows r0..r3 become columns, in place.
INLINE void transpose4x4(Vec *r0, Vec *r1, Vec *r2, Vec *r3) {
  Vec low01 = wasm_i32x4_shuffle(*r0, *r1, 0, 4, 1, 5), high01 = wasm_i32x4_shuffle(*r0, *r1, 2, 6, 3, 7);
  Vec low23 = wasm_i32x4_shuffle(*r2, *r3, 0, 4, 1, 5), high23 = wasm_i32x4_shuffle(*r2, *r3, 2, 6, 3, 7);
  *r0 = wasm_i64x2_shuffle(low01, low23, 0, 2);
  *r1 = wasm_i64x2_shuffle(low01, low23, 1, 3);
  *r2 = wasm_i64x2_shuffle(high01, high23, 0, 2);
  *r3 = wasm_i64x2_shuffle(high01, high23, 1, 3);
}
