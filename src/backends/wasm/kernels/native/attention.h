// Fused attention. Scores are kept transposed, [keys][8 queries]: they then leave the first product as
// exactly the packed right-hand panel that the second product reads, and softmax runs down the lanes, so that no
// number of keys needs a tail. Only one such panel exists at a time; never the full queries x keys.
#pragma once
#include "gemm.h"

// Rows i < rows of src (rowStride, colStride) into panels [ceil(rows / 4)][depth][4].
static void packFours(const float *src, int rowStride, int colStride, int rows, int depth, float *dst) {
  for (int i = 0; i < rows; i += 4, dst += depth * 4) packFour(src + i * rowStride, rowStride, colStride, rows - i, depth, dst, 4);
}

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
    Vec e0 = expFalling(sub(load(s), most0)), e1 = expFalling(sub(load(s + 4), most1));
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
  return 4 * (roundUp(keys, 4) * headDim + roundUp(headDim, 4) * keys + headDim * 8 + roundUp(keys, 4) * 8 + roundUp(headDim, 4) * 8 + 8);
}

// What attention.ts writes. Element (image, head, token, channel) lies at image * .Image + head * .Head + token * .Token +
// channel; the bias [heads, queries, keys] has head and query strides of its own, and biasOf says which one an image has.
typedef struct {
  int heads, queries, keys, headDim;
  int qImage, qHead, qToken, kImage, kHead, kToken, vImage, vHead, vToken, outImage, outHead, outToken;
  int biasImage, biasHead, biasQuery;
  int imageOf[]; // four for each image: which of q, k, v and bias it has
} AttentionPlan;

// out = softmax(scale q k^T + bias) v, bias or null. Unit: eight queries of one head of one image.
KERNEL(attention)(const float *q, const float *k, const float *v, const float *bias, float *out, const AttentionPlan *p,
                  float scale, SHARE) {
  int keys = p->keys, headDim = p->headDim, blocks = (p->queries + 7) / 8;
  float *keyPanels = scratch;                                // [keys / 4][headDim][4]
  float *valuePanels = keyPanels + roundUp(keys, 4) * headDim; // [headDim / 4][keys][4]
  float *queryPanel = valuePanels + roundUp(headDim, 4) * keys; // [headDim][8]
  float *scores = queryPanel + headDim * 8;                  // [keys][8]
  float *context = scores + roundUp(keys, 4) * 8;            // [headDim][8]
  float *inverseSums = context + roundUp(headDim, 4) * 8;
  Vec scales = splat(scale);
  for (int unit = begin, packed = -1; unit < end; unit++) {
    int head = unit / blocks, i = unit % blocks * 8, image = head / p->heads, h = head % p->heads;
    const int *from = p->imageOf + 4 * image;
    if (head != packed) {
      packFours(k + from[1] * p->kImage + h * p->kHead, p->kToken, 1, keys, headDim, keyPanels);
      packFours(v + from[2] * p->vImage + h * p->vHead, 1, p->vToken, headDim, keys, valuePanels);
      packed = head;
    }
    int count = minInt(8, p->queries - i);
    packColumns(q + from[0] * p->qImage + h * p->qHead + i * p->qToken, 1, p->qToken, count, headDim, queryPanel);
    for (int c = 0; c < headDim * 8; c += 4) store(queryPanel + c, mul(load(queryPanel + c), scales));
    multiplyFours((keys + 3) / 4, keyPanels, 0, queryPanel, headDim, scores);
    if (bias) addBias(scores, bias + from[3] * p->biasImage + h * p->biasHead + i * p->biasQuery, p->biasQuery, count, keys);
    softmaxColumns(scores, keys, inverseSums);
    float *to = out + image * p->outImage + h * p->outHead + i * p->outToken;
    multiplyFours((headDim + 3) / 4, valuePanels, 0, scores, keys, context);
    for (int c = 0; c < headDim; c += 4) storeContext(context + c * 8, inverseSums, to + c, p->outToken, count, minInt(4, headDim - c));
  }
}
