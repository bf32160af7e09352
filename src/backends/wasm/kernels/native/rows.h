// Kernels that treat a tensor as rows of its last axis. Unit: a row.
#pragma once
#include "activation.h"

// Two passes. The mean of a row near 1e3 is itself rounded by up to 1e-4, so the second pass also takes the mean of the
// centred values (the remainder), and both the variance and the output are corrected by it.
KERNEL(layerNorm)(const float *x, const float *gamma, const float *beta, float *y, int width, float epsilon, SHARE) {
  int whole = width & ~3, tail = width & 3;
  x += begin * width, y += begin * width;
  for (int r = begin; r < end; r++, x += width, y += width) {
    Vec sum0 = loadPartial(x + whole, tail, 0.0f), sum1 = splat(0.0f);
    int i = 0;
    for (; i + 8 <= whole; i += 8) sum0 = add(sum0, load(x + i)), sum1 = add(sum1, load(x + i + 4));
    if (i < whole) sum1 = add(sum1, load(x + i));
    float mean = sumOfLanes(add(sum0, sum1)) / width;

    Vec means = splat(mean), rest = sub(loadPartial(x + whole, tail, mean), means), squares = mul(rest, rest);
    for (i = 0; i < whole; i += 4) {
      Vec centred = sub(load(x + i), means);
      rest = add(rest, centred);
      squares = madd(centred, centred, squares);
    }
    float remainder = sumOfLanes(rest) / width;
    float variance = sumOfLanes(squares) / width - remainder * remainder;
    if (variance < 0.0f) variance = 0.0f;

    Vec remainders = splat(remainder), inverse = splat(1.0f / __builtin_sqrtf(variance + epsilon));
    for (i = 0; i < width; i += 4) {
      int count = width - i;
      Vec z = mul(sub(sub(loadPartial(x + i, count, mean), means), remainders), inverse);
      if (gamma) z = mul(z, loadPartial(gamma + i, count, 1.0f));
      if (beta) z = add(z, loadPartial(beta + i, count, 0.0f));
      storePartial(y + i, z, count);
    }
  }
}

// y = softmax(scale x) along rows
KERNEL(softmax)(const float *x, float *y, int width, float scale, SHARE) {
  const float lowest = -__builtin_inff();
  int whole = width & ~3, tail = width & 3;
  Vec scales = splat(scale);
  x += begin * width, y += begin * width;
  for (int r = begin; r < end; r++, x += width, y += width) {
    // the maximum of what is scaled: a negative scale turns the order round
    Vec most = splat(lowest), last = loadPartial(x + whole, tail, 0.0f);
    for (int i = 0; i < whole; i += 4) most = atLeast(most, mul(load(x + i), scales));
    storePartial(y + whole, mul(last, scales), tail);
    last = loadPartial(y + whole, tail, lowest);
    Vec maximum = splat(maxOfLanes(atLeast(most, last)));
    Vec sum = last = expFalling(sub(last, maximum));
    int i = 0;
    for (; i + 8 <= whole; i += 8) { // two at a time: exp is a long chain of dependent steps
      Vec e0 = expFalling(sub(mul(load(x + i), scales), maximum)), e1 = expFalling(sub(mul(load(x + i + 4), scales), maximum));
      store(y + i, e0), store(y + i + 4, e1);
      sum = add(sum, add(e0, e1));
    }
    if (i < whole) {
      Vec e = expFalling(sub(mul(load(x + i), scales), maximum));
      store(y + i, e);
      sum = add(sum, e);
    }
    Vec inverse = splat(1.0f / sumOfLanes(sum));
    for (i = 0; i < whole; i += 4) store(y + i, mul(load(y + i), inverse));
    storePartial(y + whole, mul(last, inverse), tail);
  }
}
