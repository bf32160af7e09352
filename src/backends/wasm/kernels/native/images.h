// Gradients of convolutions and of pooling, over images with their channels last.
#pragma once
#include "copy.h"

// The size of an image, and how a window moves over it: what images.ts writes as eleven int32.
typedef struct {
  int height, width, channels, kernelHeight, kernelWidth, strideY, strideX, top, left, rows, columns;
} Geometry;

static void addRun(float *dst, const float *src, int count) {
  int i = 0;
  for (; i + 4 <= count; i += 4) store(dst + i, add(load(dst + i), load(src + i)));
  for (; i < count; i++) dst[i] += src[i];
}

static void zeroRun(float *dst, int count) {
  int i = 0;
  for (; i + 4 <= count; i += 4) store(dst + i, splat(0.0f));
  for (; i < count; i++) dst[i] = 0.0f;
}

// columns [rows * columns][kernelHeight][kernelWidth][count] = what each window sees of `count` channels from x on
KERNEL(imageToColumns)(const float *x, float *columns, const Geometry *g, int count) {
  for (int row = 0; row < g->rows; row++)
    for (int column = 0; column < g->columns; column++)
      for (int ky = 0; ky < g->kernelHeight; ky++)
        for (int kx = 0; kx < g->kernelWidth; kx++, columns += count) {
          int y = row * g->strideY + ky - g->top, at = column * g->strideX + kx - g->left;
          if (y < 0 || y >= g->height || at < 0 || at >= g->width) zeroRun(columns, count);
          else copyRun(x + (y * g->width + at) * g->channels, columns, count);
        }
}

// The adjoint: every column is added to where it was taken from.
KERNEL(columnsToImage)(const float *columns, float *x, const Geometry *g, int count) {
  for (int row = 0; row < g->rows; row++)
    for (int column = 0; column < g->columns; column++)
      for (int ky = 0; ky < g->kernelHeight; ky++)
        for (int kx = 0; kx < g->kernelWidth; kx++, columns += count) {
          int y = row * g->strideY + ky - g->top, at = column * g->strideX + kx - g->left;
          if (y >= 0 && y < g->height && at >= 0 && at < g->width) addRun(x + (y * g->width + at) * g->channels, columns, count);
        }
}

KERNEL(zero)(float *x, int size) { zeroRun(x, size); }

// dx of one image, zeroed before, of a convolution with one filter a channel: w [kernelHeight][kernelWidth][channels]
KERNEL(depthwiseInputGradient)(const float *dy, const float *w, float *dx, const Geometry *g) {
  int channels = g->channels;
  for (int row = 0; row < g->rows; row++)
    for (int column = 0; column < g->columns; column++, dy += channels)
      for (int ky = 0; ky < g->kernelHeight; ky++) {
        int y = row * g->strideY + ky - g->top;
        if (y < 0 || y >= g->height) continue;
        for (int kx = 0; kx < g->kernelWidth; kx++) {
          int at = column * g->strideX + kx - g->left;
          if (at < 0 || at >= g->width) continue;
          float *to = dx + (y * g->width + at) * channels;
          const float *filter = w + (ky * g->kernelWidth + kx) * channels;
          int c = 0;
          for (; c + 4 <= channels; c += 4) store(to + c, madd(load(dy + c), load(filter + c), load(to + c)));
          for (; c < channels; c++) to[c] += dy[c] * filter[c];
        }
      }
}

// dw [kernelHeight][kernelWidth][channels] += what one image adds, a row of windows summed at a time
KERNEL(depthwiseWeightGradient)(const float *x, const float *dy, float *dw, const Geometry *g) {
  int channels = g->channels;
  for (int row = 0; row < g->rows; row++, dy += g->columns * channels)
    for (int ky = 0; ky < g->kernelHeight; ky++) {
      int y = row * g->strideY + ky - g->top;
      if (y < 0 || y >= g->height) continue;
      for (int kx = 0; kx < g->kernelWidth; kx++) {
        float *to = dw + (ky * g->kernelWidth + kx) * channels;
        // the columns whose windows lie inside here
        int first = 0, last = g->columns;
        while (first < last && first * g->strideX + kx - g->left < 0) first++;
        while (last > first && (last - 1) * g->strideX + kx - g->left >= g->width) last--;
        const float *from = x + (y * g->width + first * g->strideX + kx - g->left) * channels;
        for (int c = 0; c < channels; c += 4) {
          int count = channels - c;
          Vec sum = splat(0.0f);
          const float *a = from + c, *b = dy + first * channels + c;
          for (int column = first; column < last; column++, a += g->strideX * channels, b += channels)
            sum = madd(loadPartial(a, count, 0.0f), loadPartial(b, count, 0.0f), sum);
          storePartial(to + c, add(loadPartial(to + c, count, 0.0f), sum), count);
        }
      }
    }
}

// dx of one image, zeroed before: dy goes to the largest of each window, the first in reading order where several are
KERNEL(maxPoolGradient)(const float *x, const float *dy, float *dx, const Geometry *g) {
  int channels = g->channels;
  for (int row = 0; row < g->rows; row++)
    for (int column = 0; column < g->columns; column++)
      for (int c = 0; c < channels; c++, dy++) {
        int best = -1;
        for (int ky = 0; ky < g->kernelHeight; ky++) {
          int y = row * g->strideY + ky - g->top;
          if (y < 0 || y >= g->height) continue;
          for (int kx = 0; kx < g->kernelWidth; kx++) {
            int at = column * g->strideX + kx - g->left, i = (y * g->width + at) * channels + c;
            if (at >= 0 && at < g->width && (best < 0 || x[i] > x[best])) best = i;
          }
        }
        if (best >= 0) dx[best] += *dy;
      }
}
