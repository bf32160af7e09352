// The gradient of attention for queries, keys and values that lie side by side. The weights are computed again for some
// queries at a time, so that they are never kept: two products more, instead of queries x keys numbers a head.
#pragma once
#include "attention.h"

// Some keys at a time, and their values, are read once for some panels of eight queries: they stay in the first-level cache.
enum { QUERY_BLOCK = 128, PANELS = 4, KEYS = 32 };

MEASURE(packedAttentionGradientScratchBytes)(int tokens, int headDim) {
  int rows = evenBlock(tokens, QUERY_BLOCK), height = roundUp(tokens, 4);
  int packed = 2 * height * headDim + roundUp(headDim, 4) * tokens + 2 * headDim * 8 * PANELS + roundUp(headDim, 8) * rows;
  return 4 * (SUMS + roundUp(headDim, 4) * 8 + 16 + packed + 2 * height * 8 * PANELS + 2 * height * rows);
}

// e^score [keys][8] becomes the weights, each column's sum being 1; slopes [keys][8], what reaches the weights, becomes what
// reaches the scores.
static void slopesOfColumns(float *weights, float *slopes, const float *inverseSums, int keys) {
  Vec inverse0 = load(inverseSums), inverse1 = load(inverseSums + 4), dot0 = splat(0.0f), dot1 = dot0;
  for (int j = 0; j < keys * 8; j += 8) {
    Vec w0 = mul(load(weights + j), inverse0), w1 = mul(load(weights + j + 4), inverse1);
    store(weights + j, w0), store(weights + j + 4, w1);
    dot0 = madd(w0, load(slopes + j), dot0), dot1 = madd(w1, load(slopes + j + 4), dot1);
  }
  for (int j = 0; j < keys * 8; j += 8) {
    store(slopes + j, mul(load(weights + j), sub(load(slopes + j), dot0)));
    store(slopes + j + 4, mul(load(weights + j + 4), sub(load(slopes + j + 4), dot1)));
  }
}

// A panel [keys][8] of `count` queries as those rows of the left-hand panels [ceil(keys / 4)][queries][4].
static void turnColumns(const float *panel, int keys, int count, int queries, float *left) {
  for (int key = 0; key < keys; key += 4, panel += 4 * 8, left += 4 * queries)
    for (int q = 0; q < count; q += 4) {
      Vec r0 = load(panel + q), r1 = load(panel + 8 + q), r2 = load(panel + 16 + q), r3 = load(panel + 24 + q);
      transpose4x4(&r0, &r1, &r2, &r3);
      float *to = left + q * 4;
      int rest = count - q;
      store(to, r0);
      if (rest > 1) store(to + 4, r1);
      if (rest > 2) store(to + 8, r2);
      if (rest > 3) store(to + 12, r3);
    }
}

// out [rows, columns] = or += left, in panels of four rows, times right, in panels of eight columns, both `depth` deep.
static void multiplyPanels(const float *left, int rows, int depth, const float *right, int columns, float *out, int outStride,
                           int accumulate, float *sums) {
  for (int j = 0; j < columns; j += TILE_COLUMNS)
    for (int i = 0; i < rows; i += FINISHED_ROWS) {
      int some = minInt(FINISHED_ROWS, rows - i);
      multiplyFours((some + 3) / 4, left + i * depth, 0, right + j * depth, depth, sums);
      finishRows(sums, 0, 0, out + i * outStride + j, outStride, some, minInt(TILE_COLUMNS, columns - j), NONE, accumulate);
    }
}

// A panel, which is a multiple of four long.
static void scalePanel(float *panel, int size, Vec scales) {
  for (int i = 0; i < size; i += 4) store(panel + i, mul(load(panel + i), scales));
}

// qkv [images, tokens, 3 heads headDim], dy [images, tokens, heads headDim], bias [.., heads, tokens, tokens] or null, biasOf
// saying which one an image has; dqkv as qkv, its rows with `scores` longer by what reaches the scores, [heads, tokens]. Unit:
// one head of one image. The scale is in the queries and in the keys that meet slopes, not in what is as many as the scores.
KERNEL(packedAttentionGradient)(const float *qkv, const float *dy, const float *bias, const int *biasOf, float *dqkv, int heads,
                                int tokens, int headDim, float scale, int scores, SHARE) {
  int channels = heads * headDim, width = 3 * channels, outWidth = width + (scores ? heads * tokens : 0), block = evenBlock(tokens, QUERY_BLOCK), height = roundUp(tokens, 4);
  float *sums = scratch, *inverseSums = sums + SUMS, *ones = inverseSums + 8;
  float *slope = ones + 8;                                                   // [headDim][8]
  float *keysAcross = slope + roundUp(headDim, 4) * 8;                       // [tokens / 4][headDim][4]
  float *valuesAcross = keysAcross + height * headDim;                       // the same
  float *keysDown = valuesAcross + height * headDim;                         // [headDim / 4][tokens][4]
  float *queries = keysDown + roundUp(headDim, 4) * tokens;                  // [PANELS][headDim][8]
  float *givens = queries + headDim * 8 * PANELS;                            // the same
  float *weights = givens + headDim * 8 * PANELS;                            // [PANELS][tokens][8]
  float *slopes = weights + height * 8 * PANELS;                             // the same
  float *leftWeights = slopes + height * 8 * PANELS;                         // [tokens / 4][block][4]
  float *leftSlopes = leftWeights + height * block;                          // the same
  float *rowsDown = leftSlopes + height * block;                             // [headDim / 8][block][8]
  Vec scales = splat(scale);
  store(ones, splat(1.0f)), store(ones + 4, splat(1.0f));
  for (int unit = begin; unit < end; unit++) {
    int image = unit / heads, h = unit % heads;
    const float *q = qkv + image * tokens * width + h * headDim, *k = q + channels, *v = k + channels;
    const float *given = dy + image * tokens * channels + h * headDim;
    const float *shift = bias ? bias + (biasOf[image] * heads + h) * tokens * tokens : 0;
    float *dq = dqkv + image * tokens * outWidth + h * headDim, *scoreSlopes = dqkv + image * tokens * outWidth + width + h * tokens;
    float *dk = dq + channels, *dv = dk + channels;
    packFours(k, width, 1, tokens, headDim, keysAcross);
    packFours(v, width, 1, tokens, headDim, valuesAcross);
    packFours(k, 1, width, headDim, tokens, keysDown);
    scalePanel(keysDown, roundUp(headDim, 4) * tokens, scales);
    for (int first = 0; first < tokens; first += block) {
      int rows = minInt(block, tokens - first);
      const float *someQ = q + first * width, *someGiven = given + first * channels;
      for (int i = 0; i < rows; i += 8 * PANELS) {
        int some = minInt(8 * PANELS, rows - i), panels = (some + 7) / 8;
        packColumns(someQ + i * width, 1, width, some, headDim, queries);
        packColumns(someGiven + i * channels, 1, channels, some, headDim, givens);
        scalePanel(queries, headDim * 8 * panels, scales);
        for (int j = 0; j < tokens; j += KEYS)
          for (int p = 0; p < panels; p++) {
            int tiles = (minInt(KEYS, tokens - j) + 3) / 4, at = (p * height + j) * 8;
            multiplyFours(tiles, keysAcross + j * headDim, 0, queries + p * headDim * 8, headDim, weights + at);
            multiplyFours(tiles, valuesAcross + j * headDim, 0, givens + p * headDim * 8, headDim, slopes + at);
          }
        for (int p = 0; p < panels; p++) {
          int count = minInt(8, some - p * 8), at = p * height * 8, row = first + i + p * 8;
          float *to = dq + row * outWidth;
          if (shift) addBias(weights + at, shift + row * tokens, tokens, count, tokens);
          softmaxColumns(weights + at, tokens, inverseSums);
          slopesOfColumns(weights + at, slopes + at, inverseSums, tokens);
          if (scores)
            for (int j = 0; j < tokens; j += 4)
              storeContext(slopes + at + j * 8, ones, scoreSlopes + row * outWidth + j, outWidth, count, minInt(4, tokens - j));
          turnColumns(weights + at, tokens, count, rows, leftWeights + (i + p * 8) * 4);
          turnColumns(slopes + at, tokens, count, rows, leftSlopes + (i + p * 8) * 4);
          multiplyFours((headDim + 3) / 4, keysDown, 0, slopes + at, tokens, slope);
          for (int c = 0; c < headDim; c += 4) storeContext(slope + c * 8, ones, to + c, outWidth, count, minInt(4, headDim - c));
        }
      }
      packColumns(someQ, width, 1, headDim, rows, rowsDown);
      scalePanel(rowsDown, roundUp(headDim, 8) * rows, scales);
      multiplyPanels(leftSlopes, tokens, rows, rowsDown, headDim, dk, outWidth, first > 0, sums);
      packColumns(someGiven, channels, 1, headDim, rows, rowsDown);
      multiplyPanels(leftWeights, tokens, rows, rowsDown, headDim, dv, outWidth, first > 0, sums);
    }
  }
}
