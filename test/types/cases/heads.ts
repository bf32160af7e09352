import { pipe } from 'fp-ts/lib/function.js'
import { classToken, encoderBlock, fanOut, flattenTokens, input, layerNorm, linear, named, patchEmbed, positionEmbed, repeat, residual, selfAttention, serial, stages, takeToken, tap, when } from 'vitrail'

export const inABlock = pipe(
  input(197, 192),
  // says: attention: 192 channels do not split into 5 heads (197×192)
  encoderBlock({ numHeads: 5 }),
)

export const inAttentionAlone = pipe(
  input(197, 192),
  // says: attention: 192 channels do not split into 7 heads (197×192)
  selfAttention({ numHeads: 7 }),
)

export const inAWholeModel = pipe(
  input(224, 224, 3),
  patchEmbed({ patchSize: 16, dim: 192 }),
  flattenTokens(),
  classToken(),
  positionEmbed(),
  // says: attention: 192 channels do not split into 5 heads (197×192)
  // at: blocks.0 › attention
  repeat(12, encoderBlock({ numHeads: 5 })),
  layerNorm(),
  takeToken(0),
  linear(1000),
)

export const inBlocksOfTheirOwn = pipe(
  input(65, 384),
  // says: attention: 384 channels do not split into 7 heads (65×384)
  // at: blocks.0 › attention
  repeat(12, index => encoderBlock({ numHeads: 7, dropPath: index / 100 })),
  layerNorm(),
)

export const underAName = pipe(
  input(197, 192),
  // says: attention: 192 channels do not split into 5 heads (197×192)
  // at: encoder › attention
  named('encoder', encoderBlock({ numHeads: 5 })),
)

export const underANameThatReplacesBlocks = pipe(
  input(197, 192),
  // says: attention: 192 channels do not split into 5 heads (197×192)
  // at: layers.0 › attention
  named('layers', repeat(4, encoderBlock({ numHeads: 5 }))),
)

export const deepInNames = pipe(
  input(197, 192),
  // says: attention: 192 channels do not split into 5 heads (197×192)
  // at: vision.encoder.blocks.0.attn › attention
  named('vision', named('encoder', serial(layerNorm(), repeat(4, residual(named('attn', selfAttention({ numHeads: 5 }))))))),
)

export const inTheSecondStage = pipe(
  input(64, 96),
  // says: attention: 192 channels do not split into 5 heads (64×192)
  // at: stages.1.blocks.0 › attention
  stages(repeat(2, encoderBlock({ numHeads: 3 })), serial(linear(192), repeat(2, encoderBlock({ numHeads: 5 })))),
)

export const inAStageUnderAName = pipe(
  input(64, 96),
  // says: attention: 96 channels do not split into 5 heads (64×96)
  // at: layers.0.blocks.0 › attention
  named('layers', stages(serial(layerNorm(), repeat(2, encoderBlock({ numHeads: 5 }))))),
)

export const inABranch = pipe(
  input(197, 192),
  // says: attention: 192 channels do not split into 11 heads (197×192)
  // at: deep › attention
  fanOut({ shallow: layerNorm(), deep: encoderBlock({ numHeads: 11 }) }),
)

export const inATap = pipe(
  input(197, 192),
  // says: attention: 192 channels do not split into 5 heads (197×192)
  // at: blocks.0 › attention
  tap('early', repeat(2, encoderBlock({ numHeads: 5 }))),
)

export const onlyWhenItApplies = pipe(
  input(197, 192),
  when(false, encoderBlock({ numHeads: 5 })),
  // says: attention: 192 channels do not split into 5 heads (197×192)
  when(true, encoderBlock({ numHeads: 5 })),
)

export const moreHeadsThanChannels = pipe(
  input(4, 6),
  // says: attention: 6 channels do not split into 8 heads (4×6)
  encoderBlock({ numHeads: 8 }),
)

export const onAnImage = pipe(
  input(14, 14, 192),
  // says: attention: expects tokens×channels, got 14×14×192
  // at: blocks.0 › attention
  repeat(12, encoderBlock({ numHeads: 3 })),
)
