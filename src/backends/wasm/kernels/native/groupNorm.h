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
// Likewise of what arrives at the channels: its sum, and that of its products with what the mean leaves of x.
#define SLOPES(name, EACH) \
  INLINE void name(const float *x, const float *dy, int places, int stride, int lanes, const float *mean, float *slopes, float *along) { \
    Vec zero = splat(0.0f); \
    EACH(BEGIN_SLOPES) \
    for (int p = 0; p < places; p += 64) { \
      EACH(BEGIN_SOME) \
      for (int end = minInt(places, p + 64), i = p; i < end; i++, x += stride, dy += stride) { EACH(SOME) } \
      EACH(END_SOME) \
    } \
    EACH(END_SLOPES) \
  }
#define BEGIN_SLOPES(v) Vec mean##v = loadPartial(mean + 4 * v, lanes, 0.0f), slope##v = zero, along##v = zero;
#define BEGIN_SOME(v) Vec some##v = zero, product##v = zero;
#define SOME(v) { \
    Vec g = loadPartial(dy + 4 * v, lanes, 0.0f); \
    some##v = add(some##v, g), product##v = madd(sub(loadPartial(x + 4 * v, lanes, 0.0f), mean##v), g, product##v); \
  }
#define END_SOME(v) slope##v = add(slope##v, some##v), along##v = add(along##v, product##v);
#define END_SLOPES(v) storePartial(slopes + 4 * v, slope##v, lanes), storePartial(along + 4 * v, along##v, lanes);
SLOPES(slopesOfSome, ONE)
SLOPES(slopesOfLanes, FOUR)
static void slopesOfSixteen(const float *x, const float *dy, int places, int stride, const float *mean, float *slopes, float *along) { slopesOfLanes(x, dy, places, stride, 4, mean, slopes, along); }
#undef SLOPES
#undef BEGIN_SLOPES
#undef BEGIN_SOME
#undef SOME
#undef END_SOME
#undef END_SLOPES
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

// The mean of the channels first .. first + each, which are a group.
static float groupMean(const float *moments, int first, int each) {
  float mean = 0.0f;
  for (int i = first; i < first + each; i++) mean += moments[i];
  return mean / each;
}

// One over the deviation of such a group.
static float groupInverse(const float *moments, int first, int each, float mean, int places, int channels, float epsilon) {
  float squares = 0.0f;
  for (int i = first; i < first + each; i++) squares += moments[channels + i] + places * (moments[i] - mean) * (moments[i] - mean);
  return 1.0f / __builtin_sqrtf(squares / ((float)places * each) + epsilon);
}

// For each channel the mean of its group, and gamma over the group's deviation.
static void groupScales(const float *moments, const float *gamma, int places, int channels, int groups, float epsilon, float *means, float *scales) {
  int each = channels / groups;
  for (int c = 0; c < channels; c += each) {
    float mean = groupMean(moments, c, each), inverse = groupInverse(moments, c, each, mean, places, channels, epsilon);
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

// slopes [images][2][channels] of dy [images, places, channels], given x and its moments. Unit: sixteen channels of an image.
KERNEL(channelSlopes)(const float *x, const float *dy, const float *moments, float *slopes, int places, int channels, SHARE) {
  int blocks = (channels + MOMENT_CHANNELS - 1) / MOMENT_CHANNELS;
  for (int unit = begin; unit < end; unit++) {
    int image = unit / blocks, first = unit % blocks * MOMENT_CHANNELS, last = minInt(channels, first + MOMENT_CHANNELS);
    int at = image * places * channels, own = image * 2 * channels;
    if (last - first == MOMENT_CHANNELS) slopesOfSixteen(x + at + first, dy + at + first, places, channels, moments + own + first, slopes + own + first, slopes + own + channels + first);
    else
      for (int c = first; c < last; c += 4)
        slopesOfSome(x + at + c, dy + at + c, places, channels, minInt(4, last - c), moments + own + c, slopes + own + c, slopes + own + channels + c);
  }
}

MEASURE(groupNormGradientScratchBytes)(int channels) { return 4 * 4 * channels; }

// With z the normalised group and g = dy gamma: dx = (g - mean g - z mean(g z)) / sigma. Unit: a run of places of an image.
KERNEL(groupNormGradient)(const float *x, const float *dy, const float *moments, const float *slopes, const float *gamma, float *dx,
                          int places, int channels, int groups, float epsilon, SHARE) {
  int runs = (places + PLACES - 1) / PLACES, each = channels / groups;
  // of each channel: the mean of its group, and what x less that, dy and one are multiplied by
  float *means = scratch, *alongs = means + channels, *scales = alongs + channels, *shifts = scales + channels;
  for (int unit = begin, known = -1; unit < end; unit++) {
    int image = unit / runs, first = unit % runs * PLACES, last = minInt(places, first + PLACES);
    const float *own = moments + image * 2 * channels, *arrived = slopes + image * 2 * channels;
    for (int c = 0; c < channels && image != known; c += each) {
      float mean = groupMean(own, c, each), inverse = groupInverse(own, c, each, mean, places, channels, epsilon), slope = 0.0f, along = 0.0f;
      for (int i = c; i < c + each; i++) {
        slope += gamma[i] * arrived[i];
        along += gamma[i] * (arrived[channels + i] + (own[i] - mean) * arrived[i]);
      }
      float share = inverse / ((float)places * each);
      for (int i = c; i < c + each; i++) means[i] = mean, alongs[i] = -along * share * inverse * inverse, scales[i] = gamma[i] * inverse, shifts[i] = -slope * share;
    }
    known = image;
    for (int p = first; p < last; p++) {
      int at = (image * places + p) * channels;
      for (int c = 0; c < channels; c += 4) {
        int lanes = channels - c;
        Vec centred = sub(loadPartial(x + at + c, lanes, 0.0f), loadPartial(means + c, lanes, 0.0f));
        Vec moved = madd(centred, loadPartial(alongs + c, lanes, 0.0f), loadPartial(shifts + c, lanes, 0.0f));
        storePartial(dx + at + c, madd(loadPartial(dy + at + c, lanes, 0.0f), loadPartial(scales + c, lanes, 0.0f), moved), lanes);
      }
    }
  }
}
