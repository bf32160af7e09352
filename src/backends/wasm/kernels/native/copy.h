// Moving elements of four bytes about: slices, transpositions, rows by number.
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
  for (; i + 4 <= count; i += 4) store(dst + i, load(src + i));
  if (i == count) return;
  // the last four once more: runs of windows are short
  if (count > 4) store(dst + count - 4, load(src + count - 4));
  else storePartial(dst, loadPartial(src, count, 0.0f), count);
}

// Some of the innermost two axes: `rows` of them and all of `columns`, which lie one after the other in the destination.
static void copyPlane(const float *src, float *dst, int rows, int columns, int srcRow, int srcColumn, int dstRow) {
  if (srcColumn == 1) {
    for (int i = 0; i < rows; i++) copyRun(src + i * srcRow, dst + i * dstRow, columns);
  } else if (srcRow == 1) {
    transposeBlock(src, dst, columns, rows, srcColumn, dstRow);
  } else {
    for (int i = 0; i < rows; i++)
      for (int j = 0; j < columns; j++) dst[i * dstRow + j] = src[i * srcRow + j * srcColumn];
  }
}

// What copy.ts writes: the innermost two axes, then the others, outermost first; sizes and strides in elements.
typedef struct {
  int rows, columns, srcRow, srcColumn, dstRow, outer;
  struct { int size, src, dst; } axes[];
} CopyPlan;

// Unit: a row of the innermost plane. Elements are moved, never computed with, so int32 is copied bit by bit too.
KERNEL(stridedCopy)(const float *src, float *dst, const CopyPlan *p, SHARE) {
  for (int unit = begin; unit < end;) {
    int row = unit % p->rows, count = minInt(p->rows - row, end - unit), rest = unit / p->rows;
    const float *from = src + row * p->srcRow;
    float *to = dst + row * p->dstRow;
    for (int axis = p->outer - 1; axis >= 0; axis--) {
      int at = rest % p->axes[axis].size;
      rest /= p->axes[axis].size;
      from += at * p->axes[axis].src, to += at * p->axes[axis].dst;
    }
    copyPlane(from, to, count, p->columns, p->srcRow, p->srcColumn, p->dstRow);
    unit += count;
  }
}

enum { FILL_RUN = 4096 };

// x = value, `size` times. Unit: a run.
KERNEL(fill)(float *x, int size, float value, SHARE) {
  int i = begin * FILL_RUN, last = minInt(size, end * FILL_RUN);
  for (; i + 4 <= last; i += 4) store(x + i, splat(value));
  for (; i < last; i++) x[i] = value;
}

// Unit: y[i] [width] = table[indices[i]].
KERNEL(gatherRows)(const float *table, const int *indices, float *y, int width, SHARE) {
  for (int i = begin; i < end; i++) copyRun(table + indices[i] * width, y + i * width, width);
}

// Unit: 16 columns of y [.., width], to whose row indices[i] row i of x [count, width] is added.
KERNEL(scatterAdd)(const float *x, const int *indices, float *y, int count, int width, SHARE) {
  int first = begin * 16, last = minInt(width, end * 16);
  for (int i = 0; i < count; i++) {
    const float *from = x + i * width;
    float *to = y + indices[i] * width;
    for (int c = first; c < last; c += 4) storePartial(to + c, add(loadPartial(to + c, last - c, 0.0f), loadPartial(from + c, last - c, 0.0f)), last - c);
  }
}
