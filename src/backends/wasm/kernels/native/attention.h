// Fused attention for one image. Scores are kept transposed, [keys][8 queries]: they then leave the first product as
// exactly the packed right-hand panel that the second product reads, and softmax runs down the lanes, so that no
// number of keys needs a tail. Only one such panel exists at a time; never the full queries x keys.
#pragma once
#include "gemm.h"

// Adds bias[query, key] to the panel scores[key][query], 4x4 at a time.
static void addBias(float *scores, const float *bias, int queryStride, int queries, int keys) {
  for (int q = 0; q < queries; q += 4) {
    const float *row = bias + q * queryStride;
    int key = 0;
    for (; queries - q >= 4 && key + 4 <= keys; key += 4) {
      Vec r0 = load(row + key), r1 = load(row + queryStride + key);
      Vec r2 = load(row + 2 * queryStride + key), r3 = load(row + 3 * queryStride + key);
      transpose4x4(&r0, &r1, &r2, &r3);
      float *s = scores + key * 8 + q;
      store(s, add(load(s), r0));
      store(s + 8, add(load(s + 8), r1));
      store(s + 16, add(load(s + 16), r2));
      store(s + 24, add(load(s + 24), r3));
    }
    for (; key < keys; key++)
      for (int lane = 0; lane < minInt(4, queries - q); lane++) scores[key * 8 + q + lane] += row[lane * queryStride + key];
  }
}

// scores[key][8] becomes e^(score - the column's maximum); inverseSums[8] gets 1 / the column's sum.
static void softmaxColumns(float *scores, int keys, float *inverseSums) {
  float *end = scores + keys * 8;
  Vec most0 = load(scores), most1 = load(scores + 4), sum0 = splat(0.0f), sum1 = sum0;
  for (float *s = scores + 8; s < end; s += 8) most0 = atLeast(most0, load(s)), most1 = atLeast(most1, load(s + 4));
  for (float *s = scores; s < end; s += 8) {
    Vec e0 = expVec(sub(load(s), most0)), e1 = expVec(sub(load(s + 4), most1));
    store(s, e0), store(s + 4, e1);
    sum0 = add(sum0, e0), sum1 = add(sum1, e1);
  }
  store(inverseSums, divide(splat(1.0f), sum0));
  store(inverseSums + 4, divide(splat(1.0f), sum1));
}

// out[query][channel] = tile[channel][query] * inverseSums[query] for at most 8 queries and 4 channels
OUT_OF_LINE void storeContext(const float *tile, const float *inverseSums, float *out, int tokenStride, int queries, int channels) {
  for (int q = 0; q < queries; q += 4) {
    Vec inverse = load(inverseSums + q);
    Vec r0 = mul(load(tile + q), inverse), r1 = mul(load(tile + 8 + q), inverse);
    Vec r2 = mul(load(tile + 16 + q), inverse), r3 = mul(load(tile + 24 + q), inverse);
    transpose4x4(&r0, &r1, &r2, &r3);
    float *o = out + q * tokenStride;
    int rest = queries - q;
    storePartial(o, r0, channels);
    if (rest > 1) storePartial(o + tokenStride, r1, channels);
    if (rest > 2) storePartial(o + 2 * tokenStride, r2, channels);
    if (rest > 3) storePartial(o + 3 * tokenStride, r3, channels);
  }
}

MEASURE(attentionScratchBytes)(int keys, int headDim) {
  return 4 * (roundUp(keys, 4) * headDim + roundUp(headDim, 4) * keys + headDim * 8 + roundUp(keys, 4) * 8 + 32 + 8);
}

// q, k, v, out: logical [heads, tokens, headDim], element (h, t, c) at h * headStride + t * tokenStride + c.
// out = softmax(scale q k^T + bias) v; bias [heads, queries, keys] with its own head and query strides, or null.
KERNEL(attention)(const float *q, const float *k, const float *v, const float *bias, float *out, float *scratch, int heads,
                  int queries, int keys, int headDim, float scale, int qToken, int qHead, int kToken, int kHead,
                  int vToken, int vHead, int outToken, int outHead, int biasHead, int biasQuery) {
  float *keyPanels = scratch;                                // [keys / 4][headDim][4]
  float *valuePanels = keyPanels + roundUp(keys, 4) * headDim; // [headDim / 4][keys][4]
  float *queryPanel = valuePanels + roundUp(headDim, 4) * keys; // [headDim][8]
  float *scores = queryPanel + headDim * 8;                  // [keys][8]
  float *tile = scores + roundUp(keys, 4) * 8, *inverseSums = tile + 32;
  Vec scales = splat(scale);
  for (int h = 0; h < heads; h++, q += qHead, k += kHead, v += vHead, out += outHead) {
    packRows(k, kToken, 1, keys, headDim, keyPanels);
    packRows(v, 1, vToken, headDim, keys, valuePanels);
    for (int i = 0; i < queries; i += 8) {
      int count = minInt(8, queries - i);
      packColumns(q + i * qToken, 1, qToken, count, headDim, queryPanel);
      for (int c = 0; c < headDim * 8; c += 4) store(queryPanel + c, mul(load(queryPanel + c), scales));
      for (int j = 0; j < keys; j += 4) multiplyTile(keyPanels + j * headDim, queryPanel, headDim, scores + j * 8, 8, 0);
      if (bias) addBias(scores, bias + h * biasHead + i * biasQuery, biasQuery, count, keys);
      softmaxColumns(scores, keys, inverseSums);
      for (int c = 0; c < headDim; c += 4) {
        multiplyTile(valuePanels + c * keys, scores, keys, tile, 8, 0);
        storeContext(tile, inverseSums, out + i * outToken + c, outToken, count, minInt(4, headDim - c));
      }
    }
  }
}
