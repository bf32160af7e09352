// Convolutions and pooling over images with their channels last, and their gradients.
#pragma once
#include "copy.h"
#include "gemm.h"

// The size of an image, and how a window moves over it: what images.ts writes as eleven int32.
typedef struct {
  int height, width, channels, kernelHeight, kernelWidth, strideY, strideX, top, left, rows, columns;
} Geometry;

// Channels are shared out by sixteen.
enum { CHANNEL_BLOCK = 16 };

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

// columns [kernelHeight][kernelWidth][count] = what one window of one image sees of `count` channels from x on
static void windowToColumns(const float *x, float *columns, const Geometry *g, int window, int count) {
  int top = window / g->columns * g->strideY - g->top, left = window % g->columns * g->strideX - g->left;
  if (count == g->channels) {
    // what a row of the window has of the image is one run
    int run = g->kernelWidth * count, first = minInt(run, maxInt(0, -left) * count), last = maxInt(first, minInt(run, (g->width - left) * count));
    for (int y = top; y < top + g->kernelHeight; y++, columns += run) {
      if (y < 0 || y >= g->height) { zeroRun(columns, run); continue; }
      if (first > 0) zeroRun(columns, first);
      copyRun(x + (y * g->width + left) * count + first, columns + first, last - first);
      if (last < run) zeroRun(columns + last, run - last);
    }
    return;
  }
  for (int y = top; y < top + g->kernelHeight; y++)
    for (int at = left; at < left + g->kernelWidth; at++, columns += count) {
      if (y < 0 || y >= g->height || at < 0 || at >= g->width) zeroRun(columns, count);
      else copyRun(x + (y * g->width + at) * g->channels, columns, count);
    }
}

// columns[u] = what the window first + u of many images sees of `count` channels from x on. Unit: a window.
KERNEL(imageToColumns)(const float *x, float *columns, const Geometry *g, int count, int first, SHARE) {
  int size = g->kernelHeight * g->kernelWidth * count, perImage = g->rows * g->columns;
  for (int u = begin; u < end; u++) {
    int window = first + u;
    windowToColumns(x + window / perImage * g->height * g->width * g->channels, columns + u * size, g, window % perImage, count);
  }
}

// The windows of many images as the rows of a left-hand factor: `windows` of them from `first` on, of `count` channels from
// x on, packed as packLeft does. Unit: WHOLE_ROWS windows. Scratch: the columns of as many as a tile has rows.
KERNEL(packWindows)(const float *x, const Geometry *g, int count, int first, int windows, float *packed, SHARE) {
  int size = g->kernelHeight * g->kernelWidth * count, perImage = g->rows * g->columns;
  for (int i = begin * WHOLE_ROWS; i < minInt(windows, end * WHOLE_ROWS); i += TILE_ROWS) {
    int rows = minInt(TILE_ROWS, windows - i);
    for (int r = 0; r < rows; r++) {
      int window = first + i + r;
      windowToColumns(x + window / perImage * g->height * g->width * g->channels, scratch + r * size, g, window % perImage, count);
    }
    packRows(scratch, size, 1, rows, size, packed + i * size);
  }
}

// y = bias + the convolution with one filter a channel: w [kernelHeight][kernelWidth][channels], bias [channels] or null.
// Unit: a row of one image.
KERNEL(depthwise)(const float *x, const float *w, const float *bias, float *y, const Geometry *g, SHARE) {
  int channels = g->channels, line = g->width * channels;
  for (int unit = begin; unit < end; unit++) {
    const float *image = x + unit / g->rows * g->height * line;
    int top = unit % g->rows * g->strideY - g->top;
    int firstY = maxInt(0, -top), lastY = minInt(g->kernelHeight, g->height - top);
    for (int column = 0; column < g->columns; column++) {
      int left = column * g->strideX - g->left;
      int firstX = maxInt(0, -left), lastX = minInt(g->kernelWidth, g->width - left);
      float *to = y + (unit * g->columns + column) * channels;
      int c = 0;
      for (; c + 16 <= channels; c += 16) {
        Vec zero = splat(0.0f), s0 = zero, s1 = zero, s2 = zero, s3 = zero;
        if (bias) s0 = load(bias + c), s1 = load(bias + c + 4), s2 = load(bias + c + 8), s3 = load(bias + c + 12);
        for (int ky = firstY; ky < lastY; ky++) {
          const float *p = image + (top + ky) * line + (left + firstX) * channels + c;
          const float *f = w + (ky * g->kernelWidth + firstX) * channels + c;
          for (int kx = firstX; kx < lastX; kx++, p += channels, f += channels) {
            s0 = madd(load(p), load(f), s0), s1 = madd(load(p + 4), load(f + 4), s1);
            s2 = madd(load(p + 8), load(f + 8), s2), s3 = madd(load(p + 12), load(f + 12), s3);
          }
        }
        store(to + c, s0), store(to + c + 4, s1), store(to + c + 8, s2), store(to + c + 12, s3);
      }
      for (; c < channels; c += 4) {
        int count = channels - c;
        Vec sum = bias ? loadPartial(bias + c, count, 0.0f) : splat(0.0f);
        for (int ky = firstY; ky < lastY; ky++)
          for (int kx = firstX; kx < lastX; kx++)
            sum = madd(loadPartial(image + (top + ky) * line + (left + kx) * channels + c, count, 0.0f),
                       loadPartial(w + (ky * g->kernelWidth + kx) * channels + c, count, 0.0f), sum);
        storePartial(to + c, sum, count);
      }
    }
  }
}

// The numbers of poolCodes in native.ts. Of the two means, the first counts padding as zeros.
enum { POOL_MAX = 0, POOL_MEAN, POOL_MEAN_INSIDE };

// y = the largest or the mean of each window. Unit: a row of one image.
KERNEL(pool)(const float *x, float *y, const Geometry *g, int kind, SHARE) {
  int channels = g->channels, line = g->width * channels;
  for (int unit = begin; unit < end; unit++) {
    const float *image = x + unit / g->rows * g->height * line;
    int top = unit % g->rows * g->strideY - g->top;
    int firstY = maxInt(0, -top), lastY = minInt(g->kernelHeight, g->height - top);
    for (int column = 0; column < g->columns; column++) {
      int left = column * g->strideX - g->left;
      int firstX = maxInt(0, -left), lastX = minInt(g->kernelWidth, g->width - left);
      int inside = (lastY - firstY) * (lastX - firstX);
      float share = kind == POOL_MAX ? 1.0f : 1.0f / (kind == POOL_MEAN ? g->kernelHeight * g->kernelWidth : inside);
      float *to = y + (unit * g->columns + column) * channels;
      for (int c = 0; c < channels; c += 4) {
        int count = channels - c;
        Vec total = splat(kind == POOL_MAX ? -__builtin_inff() : 0.0f);
        for (int ky = firstY; ky < lastY; ky++)
          for (int kx = firstX; kx < lastX; kx++) {
            Vec value = loadPartial(image + (top + ky) * line + (left + kx) * channels + c, count, 0.0f);
            total = kind == POOL_MAX ? wasm_f32x4_max(total, value) : add(total, value);
          }
        storePartial(to + c, mul(total, splat(share)), count);
      }
    }
  }
}

// The adjoint of imageToColumns: every column is added to where it was taken from. Unit: a block of the `count` channels of an
// image.
KERNEL(columnsToImage)(const float *columns, float *x, const Geometry *g, int count, SHARE) {
  int blocks = (count + CHANNEL_BLOCK - 1) / CHANNEL_BLOCK, line = g->kernelWidth * count;
  for (int unit = begin; unit < end; unit++) {
    int image = unit / blocks, channel = unit % blocks * CHANNEL_BLOCK, some = minInt(CHANNEL_BLOCK, count - channel);
    const float *from = columns + image * g->rows * g->columns * g->kernelHeight * line + channel;
    float *into = x + image * g->height * g->width * g->channels + channel;
    for (int row = 0; row < g->rows; row++)
      for (int column = 0; column < g->columns; column++) {
        int left = column * g->strideX - g->left, firstX = maxInt(0, -left), lastX = minInt(g->kernelWidth, g->width - left);
        for (int ky = 0; ky < g->kernelHeight; ky++, from += line) {
          int y = row * g->strideY + ky - g->top;
          if (y < 0 || y >= g->height) continue;
          float *to = into + (y * g->width + left) * g->channels;
          // a row of the window is one run
          if (some == g->channels) addRun(to + firstX * some, from + firstX * some, maxInt(0, lastX - firstX) * some);
          else for (int kx = firstX; kx < lastX; kx++) addRun(to + kx * g->channels, from + kx * count, some);
        }
      }
  }
}

// dx, zeroed before, of a convolution with one filter a channel: w [kernelHeight][kernelWidth][channels]. Unit: a block of
// the channels of one image.
KERNEL(depthwiseInputGradient)(const float *dy, const float *w, float *dx, const Geometry *g, SHARE) {
  int channels = g->channels, blocks = (channels + CHANNEL_BLOCK - 1) / CHANNEL_BLOCK;
  for (int unit = begin; unit < end; unit++) {
    int image = unit / blocks, first = unit % blocks * CHANNEL_BLOCK, some = minInt(CHANNEL_BLOCK, channels - first);
    const float *from = dy + image * g->rows * g->columns * channels + first;
    float *into = dx + image * g->height * g->width * channels + first;
    for (int row = 0; row < g->rows; row++)
      for (int column = 0; column < g->columns; column++, from += channels)
        for (int ky = 0; ky < g->kernelHeight; ky++) {
          int y = row * g->strideY + ky - g->top;
          if (y < 0 || y >= g->height) continue;
          for (int kx = 0; kx < g->kernelWidth; kx++) {
            int at = column * g->strideX + kx - g->left;
            if (at < 0 || at >= g->width) continue;
            float *to = into + (y * g->width + at) * channels;
            const float *filter = w + (ky * g->kernelWidth + kx) * channels + first;
            int c = 0;
            for (; c + 4 <= some; c += 4) store(to + c, madd(load(from + c), load(filter + c), load(to + c)));
            for (; c < some; c++) to[c] += from[c] * filter[c];
          }
        }
  }
}

// dw [kernelHeight][kernelWidth][channels], zeroed before, over all images, a row of windows summed at a time. Unit: a block
// of the channels.
KERNEL(depthwiseWeightGradient)(const float *x, const float *dy, float *dw, const Geometry *g, int images, SHARE) {
  int channels = g->channels, firstChannel = begin * CHANNEL_BLOCK, lastChannel = minInt(channels, end * CHANNEL_BLOCK);
  for (int image = 0; image < images; image++, x += g->height * g->width * channels)
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
          for (int c = firstChannel; c < lastChannel; c += 4) {
            int count = lastChannel - c;
            Vec sum = splat(0.0f);
            const float *a = from + c, *b = dy + first * channels + c;
            for (int column = first; column < last; column++, a += g->strideX * channels, b += channels)
              sum = madd(loadPartial(a, count, 0.0f), loadPartial(b, count, 0.0f), sum);
            storePartial(to + c, add(loadPartial(to + c, count, 0.0f), sum), count);
          }
        }
      }
}

// dx, zeroed before: dy goes to the largest of each window, the first in reading order where several are. Unit: a block of
// the channels of one image.
KERNEL(maxPoolGradient)(const float *x, const float *dy, float *dx, const Geometry *g, SHARE) {
  int channels = g->channels, blocks = (channels + CHANNEL_BLOCK - 1) / CHANNEL_BLOCK;
  for (int unit = begin; unit < end; unit++) {
    int image = unit / blocks, first = unit % blocks * CHANNEL_BLOCK, last = minInt(channels, first + CHANNEL_BLOCK);
    int place = image * g->height * g->width * channels;
    const float *slope = dy + image * g->rows * g->columns * channels;
    for (int row = 0; row < g->rows; row++)
      for (int column = 0; column < g->columns; column++, slope += channels)
        for (int c = first; c < last; c += 4) {
          int lanes = last - c;
          Vec most = splat(0.0f), where = wasm_i32x4_splat(-1);
          for (int ky = 0; ky < g->kernelHeight; ky++) {
            int y = row * g->strideY + ky - g->top;
            if (y < 0 || y >= g->height) continue;
            for (int kx = 0; kx < g->kernelWidth; kx++) {
              int at = column * g->strideX + kx - g->left, i = place + (y * g->width + at) * channels + c;
              if (at < 0 || at >= g->width) continue;
              Vec value = loadPartial(x + i, lanes, 0.0f);
              Vec isBest = wasm_v128_or(wasm_f32x4_gt(value, most), wasm_i32x4_lt(where, wasm_i32x4_splat(0)));
              most = wasm_v128_bitselect(value, most, isBest), where = wasm_v128_bitselect(wasm_i32x4_splat(i), where, isBest);
            }
          }
          // a window has places in the image, or none for all channels
          if (wasm_i32x4_extract_lane(where, 0) < 0) continue;
          dx[wasm_i32x4_extract_lane(where, 0)] += slope[c];
          if (lanes > 1) dx[wasm_i32x4_extract_lane(where, 1) + 1] += slope[c + 1];
          if (lanes > 2) dx[wasm_i32x4_extract_lane(where, 2) + 2] += slope[c + 2];
          if (lanes > 3) dx[wasm_i32x4_extract_lane(where, 3) + 3] += slope[c + 3];
        }
  }
}
