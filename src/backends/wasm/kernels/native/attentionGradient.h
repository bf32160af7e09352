// The gradient of attention for queries, keys and values that lie side by side. The weights are computed again for some
// queries at a time, so that they are never kept: two products more, instead of queries x keys numbers a head.
#pragma once
#include "gradients.h"
#include "rows.h"

enum { QUERY_BLOCK = 128 };

MEASURE(packedAttentionGradientScratchBytes)(int tokens, int headDim) {
  int rows = roundUp(evenBlock(tokens, QUERY_BLOCK), TILE_ROWS), wide = roundUp(headDim, TILE_COLUMNS), most = maxInt(tokens, headDim);
  int panels = 2 * roundUp(tokens, TILE_COLUMNS) * headDim + (tokens + rows) * wide;
  return 4 * (TILE_ROWS * TILE_COLUMNS + panels + 2 * rows * tokens + roundUp(tokens, TILE_ROWS) * rows + rows * most);
}

// left [rows, K], element (i, k) at i * rowStride + k * colStride, times packed right [K, columns], into out.
static void multiplyRows(const float *left, int rows, int K, int rowStride, int colStride, const float *right, int columns,
                         float *out, int outStride, int accumulate, float *panels, float *edge) {
  packRows(left, rowStride, colStride, rows, K, panels);
  multiplyBlock(panels, rows, K, right, columns, 0, NONE, 0, out, outStride, accumulate, edge);
}

// qkv and dqkv [images, tokens, 3 heads headDim], dy [images, tokens, heads headDim]. Unit: one head of one image.
KERNEL(packedAttentionGradient)(const float *qkv, const float *dy, float *dqkv, int heads, int tokens, int headDim, float scale, SHARE) {
  int channels = heads * headDim, width = 3 * channels, block = evenBlock(tokens, QUERY_BLOCK), wide = roundUp(headDim, TILE_COLUMNS);
  float *edge = scratch, *keysAcross = edge + TILE_ROWS * TILE_COLUMNS;          // k^T in panels
  float *valuesAcross = keysAcross + roundUp(tokens, TILE_COLUMNS) * headDim;     // v^T in panels
  float *keysDown = valuesAcross + roundUp(tokens, TILE_COLUMNS) * headDim;       // k in panels
  float *rowsDown = keysDown + tokens * wide;                                     // some rows of q, or of dy, in panels
  float *weights = rowsDown + roundUp(block, TILE_ROWS) * wide;                   // [block][tokens]
  float *slopes = weights + block * tokens, *left = slopes + block * tokens;      // [block][tokens]
  Vec scales = splat(scale);
  for (int unit = begin; unit < end; unit++) {
    int image = unit / heads, h = unit % heads;
    const float *q = qkv + image * tokens * width + h * headDim, *k = q + channels, *v = k + channels;
    const float *given = dy + image * tokens * channels + h * headDim;
    float *dq = dqkv + image * tokens * width + h * headDim, *dk = dq + channels, *dv = dk + channels;
    packColumns(k, 1, width, tokens, headDim, keysAcross);
    packColumns(v, 1, width, tokens, headDim, valuesAcross);
    packColumns(k, width, 1, headDim, tokens, keysDown);
    for (int i = 0; i < tokens; i += block, q += block * width, given += block * channels, dq += block * width) {
      int rows = minInt(block, tokens - i), size = rows * tokens;
      multiplyRows(q, rows, headDim, width, 1, keysAcross, tokens, weights, tokens, 0, left, edge);
      softmax(weights, weights, tokens, scale, 0, 0, rows);
      multiplyRows(given, rows, headDim, channels, 1, valuesAcross, tokens, slopes, tokens, 0, left, edge);
      softmaxGradient(weights, slopes, slopes, tokens, 0, 0, rows);
      for (int j = 0; j < size; j += 4) storePartial(slopes + j, mul(loadPartial(slopes + j, size - j, 0.0f), scales), size - j);
      multiplyRows(slopes, rows, tokens, tokens, 1, keysDown, headDim, dq, width, 0, left, edge);
      packColumns(q, width, 1, headDim, rows, rowsDown);
      multiplyRows(slopes, tokens, rows, 1, tokens, rowsDown, headDim, dk, width, i > 0, left, edge);
      packColumns(given, channels, 1, headDim, rows, rowsDown);
      multiplyRows(weights, tokens, rows, 1, tokens, rowsDown, headDim, dv, width, i > 0, left, edge);
    }
  }
}
