// Several elementwise ops in one pass over memory: a short program runs on a block of numbers that stays in the cache.
#pragma once
#include "copy.h"
#include "pointwise.h"

// A step's op is a number of binaryCodes, or one of unaryCodes and this.
enum { BLOCK = 256, UNARY = 16 };

// What elementwise.ts writes: sizes, then operands, then steps, which name operands, and earlier steps after them.
typedef struct { int at, inner, near, apart, far; } Operand;
typedef struct { int op, a, b; } Step;
typedef struct { int size, operands, steps; int rest[]; } Program;

static void fillRun(float *dst, float value, int count) {
  for (int i = 0; i < count; i += 4) storePartial(dst + i, splat(value), count - i);
}

// Elements from `at` on of an operand that broadcasting repeats: element i is
// x[i / (inner near apart) % far * near + i / inner % near].
static void fetch(const Operand *operand, int at, int count, float *dst) {
  const float *x = (const float *)operand->at;
  int inner = operand->inner, near = operand->near;
  while (count > 0) {
    int place = at / inner, column = place % near, run;
    const float *from = x + place / (near * operand->apart) % operand->far * near + column;
    if (inner == 1) {
      run = minInt(count, near - column);
      copyRun(from, dst, run);
    } else {
      run = minInt(count, inner - at % inner);
      fillRun(dst, *from, run);
    }
    at += run, dst += run, count -= run;
  }
}

// Sixteen numbers at a time: blocks have room for them.
static void runStep(int op, const float *a, const float *b, float *out, int count) {
#define EACH(code, first, second, third, fourth) \
  case code: \
    for (int i = 0; i < count; i += 16) { \
      Vec x0 = load(a + i), x1 = load(a + i + 4), x2 = load(a + i + 8), x3 = load(a + i + 12); \
      store(out + i, first), store(out + i + 4, second), store(out + i + 8, third), store(out + i + 12, fourth); \
    } \
    break;
#define BINARY(code) \
  EACH(code, binaryVec(x0, load(b + i), code), binaryVec(x1, load(b + i + 4), code), binaryVec(x2, load(b + i + 8), code), binaryVec(x3, load(b + i + 12), code))
#define SINGLE(code) EACH(UNARY + code, unaryVec(x0, code), unaryVec(x1, code), unaryVec(x2, code), unaryVec(x3, code))
  switch (op) {
    BINARY(OF_ADD) BINARY(OF_SUBTRACT) BINARY(OF_MULTIPLY) BINARY(OF_DIVIDE) BINARY(OF_MAXIMUM) BINARY(OF_MINIMUM)
    SINGLE(RELU) SINGLE(EXP) SINGLE(LOG) SINGLE(ROOT) SINGLE(TANH) SINGLE(SIGMOID) SINGLE(POSITIVE)
  }
#undef SINGLE
#undef BINARY
#undef EACH
}

// Where a block of an operand or of a step's results is: an operand as large as the whole is read where it lies.
INLINE const float *blockOf(int o, const Program *p, const Operand *operands, const float *registers, int at, int whole) {
  return o < p->operands && whole && operands[o].inner == 1 && operands[o].near == p->size ? (const float *)operands[o].at + at : registers + o * BLOCK;
}

MEASURE(elementwiseScratchBytes)(int operands, int steps) { return 4 * (operands + steps) * BLOCK; }

// out = what the last step gives. Unit: a run of elements. A single number is spread but once.
KERNEL(elementwise)(const Program *p, float *out, SHARE) {
  const Operand *operands = (const Operand *)p->rest;
  const Step *steps = (const Step *)(operands + p->operands);
  for (int o = 0; o < p->operands; o++)
    if (operands[o].inner == p->size) fillRun(scratch + o * BLOCK, *(const float *)operands[o].at, BLOCK);
  for (int at = begin * RUN, last = minInt(p->size, end * RUN); at < last; at += BLOCK) {
    int count = minInt(BLOCK, last - at), whole = (count & 15) == 0;
    for (int o = 0; o < p->operands; o++) {
      float *block = scratch + o * BLOCK;
      if (operands[o].inner != p->size && blockOf(o, p, operands, scratch, at, whole) == block) fetch(operands + o, at, count, block);
    }
    for (int s = 0; s < p->steps; s++) {
      float *block = scratch + (p->operands + s) * BLOCK;
      int isLast = s == p->steps - 1;
      runStep(steps[s].op, blockOf(steps[s].a, p, operands, scratch, at, whole), blockOf(steps[s].b, p, operands, scratch, at, whole),
              whole && isLast ? out + at : block, count);
      if (isLast && !whole) copyRun(block, out + at, count);
    }
  }
}
