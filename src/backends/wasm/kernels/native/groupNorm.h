// Group norm of images whose channels are last: first the moments of each channel, down blocks of sixteen that lie side by
// side, so that no group is gathered; then all in one pass.
#pragma once
#include "activation.h"

enum { MOMENT_CHANNELS = 16, PLACES = 16 };

// The mean of some channels over places, `stride` elements apart, and the sum of the squares of what it leaves. The mean of
// what it leaves corrects both, as in layerNorm. Sums of 64 at a time: a single one would round off the late ones. EACH does
// what follows for each vector of four channels; `lanes` (1..4) of them exist in each.
#define MOMENTS(name, EACH) \
  INLINE void name(const float *x, int places, int stride, int lanes, float *mean, float *squares) { \
    Vec zero = splat(0.0f), count = splat((float)places); \
    const float *from = x; \
    EACH(BEGIN) \
    for (int p = 0; p < places; p += 64) { \
      EACH(BEGIN_SUM) \
      for (int end = minInt(places, p + 64), i = p; i < end; i++, from += stride) { EACH(SUM) } \
      EACH(END_SUM) \
    } \
    from = x; \
    EACH(BEGIN_REST) \
    for (int p = 0; p < places; p += 64) { \
      EACH(BEGIN_SQUARES) \
      for (int end = minInt(places, p + 64), i = p; i < end; i++, from += stride) { EACH(SQUARES) } \
      EACH(END_SQUARES) \
    } \
    EACH(END) \
  }
#define BEGIN(v) Vec mean##v = zero, all##v = zero;
#define BEGIN_SUM(v) Vec sum##v = zero;
#define SUM(v) sum##v = add(sum##v, loadPartial(from + 4 * v, lanes, 0.0f));
#define END_SUM(v) mean##v = add(mean##v, sum##v);
#define BEGIN_REST(v) mean##v = divide(mean##v, count); Vec rest##v = zero;
#define BEGIN_SQUARES(v) Vec left##v = zero, square##v = zero;
#define SQUARES(v) { \
    Vec centred = sub(loadPartial(from + 4 * v, lanes, 0.0f), mean##v); \
    left##v = add(left##v, centred), square##v = madd(centred, centred, square##v); \
  }
#define END_SQUARES(v) rest##v = add(rest##v, left##v), all##v = add(all##v, square##v);
#define END(v) { \
    Vec remainder = divide(rest##v, count); \
    storePartial(mean + 4 * v, add(mean##v, remainder), lanes); \
    storePartial(squares + 4 * v, atLeast(sub(all##v, mul(rest##v, remainder)), zero), lanes); \
  }
#define ONE(DO) DO(0)
#define FOUR(DO) DO(0) DO(1) DO(2) DO(3)
MOMENTS(momentsOfSome, ONE)
// Four vectors side by side, most often one cache line.
MOMENTS(momentsOfLanes, FOUR)
static void momentsOfSixteen(const float *x, int places, int stride, float *mean, float *squares) { momentsOfLanes(x, places, stride, 4, mean, squares); }
#undef MOMENTS
#undef BEGIN
#undef BEGIN_SUM
#undef SUM
#undef END_SUM
#undef BEGIN_REST
#undef BEGIN_SQUARES
#undef SQUARES
#undef END_SQUARES
#undef END
#undef ONE
#undef FOUR

// moments [images][2][channels] of x [images, places, channels]. Unit: sixteen channels of an image.
KERNEL(channelMoments)(const float *x, float *moments, int places, int channels, SHARE) {
  int blocks = (channels + MOMENT_CHANNELS - 1) / MOMENT_CHANNELS;
  for (int unit = begin; unit < end; unit++) {
    int image = unit / blocks, first = unit % blocks * MOMENT_CHANNELS, last = minInt(channels, first + MOMENT_CHANNELS);
    const float *from = x + image * places * channels;
    float *mean = moments + image * 2 * channels;
    if (last - first == MOMENT_CHANNELS) momentsOfSixteen(from + first, places, channels, mean + first, mean + channels + first);
    else for (int c = first; c < last; c += 4) momentsOfSome(from + c, places, channels, minInt(4, last - c), mean + c, mean + channels + c);
  }
}

// For each channel the mean of its group, and gamma over the group's deviation.
static void groupScales(const float *moments, const float *gamma, int places, int channels, int groups, float epsilon, float *means, float *scales) {
  int each = channels / groups;
  for (int c = 0; c < channels; c += each) {
    float mean = 0.0f, squares = 0.0f;
    for (int i = c; i < c + each; i++) mean += moments[i];
    mean /= each;
    for (int i = c; i < c + each; i++) squares += moments[channels + i] + places * (moments[i] - mean) * (moments[i] - mean);
    float inverse = 1.0f / __builtin_sqrtf(squares / ((float)places * each) + epsilon);
    for (int i = c; i < c + each; i++) means[i] = mean, scales[i] = gamma[i] * inverse;
  }
}

MEASURE(groupNormScratchBytes)(int channels) { return 4 * 2 * channels; }

// y = activation((x - mean of the group) / its deviation * gamma + beta). Unit: a run of places of an image.
KERNEL(groupNorm)(const float *x, const float *moments, const float *gamma, const float *beta, float *y, int places, int channels,
                  int groups, float epsilon, int activation, SHARE) {
  int runs = (places + PLACES - 1) / PLACES;
  float *means = scratch, *scales = scratch + channels;
  for (int unit = begin, known = -1; unit < end; unit++) {
    int image = unit / runs, first = unit % runs * PLACES, last = minInt(places, first + PLACES);
    if (image != known) groupScales(moments + image * 2 * channels, gamma, places, channels, groups, epsilon, means, scales);
    known = image;
    for (int p = first; p < last; p++) {
      int at = (image * places + p) * channels, whole = channels & ~3, c = 0;
#define CASE(code) \
  case code: \
    for (; c < whole; c += 4) \
      store(y + at + c, activateVec(madd(sub(load(x + at + c), load(means + c)), load(scales + c), load(beta + c)), code)); \
    break;
      switch (activation) { CASE(NONE) CASE(GELU) CASE(GELU_TANH) CASE(QUICK_GELU) CASE(RELU) CASE(SILU) }
#undef CASE
      if (c < channels) {
        int lanes = channels - c;
        Vec centred = sub(loadPartial(x + at + c, lanes, 0.0f), loadPartial(means + c, lanes, 0.0f));
        Vec z = madd(centred, loadPartial(scales + c, lanes, 0.0f), loadPartial(beta + c, lanes, 0.0f));
        storePartial(y + at + c, activateVec(z, activation), lanes);
      }
    }
  }
}
