// Strided copy: slice and transpose, for any element of four bytes.
#pragma once
#include "simd.h"

// out[j][i] = in[i][j]: unit stride of the source along j (count `columns`), of the destination along i (count `rows`).
// Sixteen columns at a time, so that each cache line of the source is used up while it is there.
static void transposeBlock(const float *src, float *dst, int rows, int columns, int srcRow, int dstColumn) {
  for (int j0 = 0; j0 < columns; j0 += 16) {
    int j1 = minInt(j0 + 16, columns), i = 0;
    for (; i + 4 <= rows; i += 4) {
      const float *s = src + i * srcRow;
      int j = j0;
      for (; j + 4 <= j1; j += 4) {
        Vec r0 = load(s + j), r1 = load(s + srcRow + j), r2 = load(s + 2 * srcRow + j), r3 = load(s + 3 * srcRow + j);
        transpose4x4(&r0, &r1, &r2, &r3);
        float *d = dst + j * dstColumn + i;
        store(d, r0), store(d + dstColumn, r1), store(d + 2 * dstColumn, r2), store(d + 3 * dstColumn, r3);
      }
      for (; j < j1; j++)
        for (int r = 0; r < 4; r++) dst[j * dstColumn + i + r] = s[r * srcRow + j];
    }
    for (; i < rows; i++)
      for (int j = j0; j < j1; j++) dst[j * dstColumn + i] = src[i * srcRow + j];
  }
}

static void copyRun(const float *src, float *dst, int count) {
  int i = 0;
  for (; i + 16 <= count; i += 16) {
    Vec a = load(src + i), b = load(src + i + 4), c = load(src + i + 8), d = load(src + i + 12);
    store(dst + i, a), store(dst + i + 4, b), store(dst + i + 8, c), store(dst + i + 12, d);
  }
  for (; i < count; i += 4) storePartial(dst + i, loadPartial(src + i, count - i, 0.0f), count - i);
}

// The two innermost axes (n4, n5); n5 is contiguous in the destination.
static void copyPlane(const float *src, float *dst, int n4, int n5, int src4, int src5, int dst4) {
  if (src5 == 1) {
    for (int i = 0; i < n4; i++) copyRun(src + i * src4, dst + i * dst4, n5);
  } else if (src4 == 1) {
    transposeBlock(src, dst, n5, n4, src5, dst4);
  } else {
    for (int i = 0; i < n4; i++)
      for (int j = 0; j < n5; j++) dst[i * dst4 + j] = src[i * src4 + j * src5];
  }
}

// plan: six sizes, six source strides, six destination strides, in elements, outermost first; the last destination
// stride is 1. Elements are moved, never computed with, so int32 is copied bit by bit too.
KERNEL(stridedCopy)(const float *src, float *dst, const int *plan) {
  const int *n = plan, *s = plan + 6, *d = plan + 12;
  for (int i0 = 0; i0 < n[0]; i0++)
    for (int i1 = 0; i1 < n[1]; i1++)
      for (int i2 = 0; i2 < n[2]; i2++)
        for (int i3 = 0; i3 < n[3]; i3++)
          copyPlane(src + i0 * s[0] + i1 * s[1] + i2 * s[2] + i3 * s[3], dst + i0 * d[0] + i1 * d[1] + i2 * d[2] + i3 * d[3],
                    n[4], n[5], s[4], s[5], d[4]);
}
