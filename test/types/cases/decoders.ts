import { pipe } from 'fp-ts/lib/function.js'
import { crossAttention, decoderBlock, expose, featurePyramid, field, input, inputs, joinLevels, named, queryTokens, repeat, serial, sigmoid, tokensToMap, upsample } from 'vitrail'
import { detector, linearDecoder, pyramidDecoder, segmenter, swinFeatures, upsamplingDecoder, vitTokens } from 'vitrail/recipes'

const tiny = { patchSize: 16, dim: 192, depth: 12, numHeads: 3 } as const
const backbone = serial(vitTokens(tiny), tokensToMap({ prefixTokens: 1 }))
const swin = swinFeatures({ patchSize: 4, dim: 96, depths: [2, 2, 6, 2], numHeads: [3, 6, 12, 24], windowSize: 7 })

// gives: [224, 224, 150]
export const segmented = pipe(input(224, 224, 3), segmenter(backbone, linearDecoder({ numClasses: 150, factor: 16 })))

// gives: [224, 224, 21]
export const progressive = pipe(input(224, 224, 3), segmenter(backbone, upsamplingDecoder({ numClasses: 21, factor: 16, dim: 64 })))

// gives: [224, 224, 19]
export const ofAPyramid = pipe(input(224, 224, 3), segmenter(expose(swin, { p2: 'layers.0', p3: 'layers.1', p4: 'layers.2', p5: 'layers.3' }), pyramidDecoder({ numClasses: 19, factor: 4, dim: 128 })))

// gives: { p2: [56, 56, 128], p4: [14, 14, 128] }
export const levels = pipe(input(224, 224, 3), expose(swin, { p2: 'layers.0', p4: 'layers.2' }), featurePyramid({ dim: 128 }))

// gives: { logits: [100, 81], boxes: [100, 4] }
export const detected = pipe(input(224, 224, 3), detector(vitTokens({ ...tiny, classToken: false }), { dim: 256, numQueries: 100, depth: 6, numHeads: 8, numClasses: 80 }))

export const headsOfADetector = pipe(
  input(224, 224, 3),
  // says: attention: 256 channels do not split into 7 heads (100×256)
  // at: transformer.decoder.layers.0 › attention
  detector(vitTokens({ ...tiny, classToken: false }), { dim: 256, numQueries: 100, depth: 6, numHeads: 7, numClasses: 80 }),
)

// gives: { x: [10, 64], memory: [49, 64], positions: [10, 64] }
export const marked = pipe(input(49, 64), queryTokens(10, { kind: 'positions' }), repeat(2, decoderBlock({ numHeads: 4 })))

// gives: [10, 64]
export const answers = pipe(input(49, 64), queryTokens(10), decoderBlock({ numHeads: 4 }), field('x'), sigmoid())

export const queriesOfAMap = pipe(
  input(7, 7, 64),
  // says: queryTokens: expects tokens×channels, got 7×7×64
  queryTokens(10),
)

export const memoryOfOtherChannels = pipe(
  inputs({ x: input(10, 64), memory: input(49, 32) }),
  // says: crossAttention: tokens are 10×64, but what they attend to is 49×32
  // at: blocks.0 › crossAttention
  repeat(2, decoderBlock({ numHeads: 4 })),
)

export const positionsOfOtherQueries = pipe(
  inputs({ x: input(10, 64), memory: input(49, 64), positions: input(11, 64) }),
  // says: decoderBlock: x is 10×64, but its positions are 11×64
  // at: last › decoderBlock
  named('last', decoderBlock({ numHeads: 4 })),
)

export const placesOfOtherTokens = pipe(
  inputs({ x: input(10, 64), memory: input(49, 64), memoryPositions: input(7, 7, 64) }),
  // says: decoderBlock: memory is 49×64, but its positions are 7×7×64
  decoderBlock({ numHeads: 4 }),
)

export const noMemory = pipe(
  inputs({ x: input(10, 64) }),
  // says: decoderBlock: there is no field memory in the record that arrives
  decoderBlock({ numHeads: 4 }),
)

export const otherKeys = pipe(
  inputs({ x: input(10, 64), memory: input(49, 64), keys: input(48, 64) }),
  // says: crossAttention: what is attended to is 49×64, but its keys are 48×64
  crossAttention({ numHeads: 4 }),
)

export const tokensOfNoSquare = pipe(
  input(197, 192),
  // says: tokensToMap: 197 tokens are no square map (197×192)
  // remedy: give the grid, or say how many prefixTokens are no patches
  tokensToMap(),
)

export const tokensOfAnotherGrid = pipe(
  input(197, 192),
  // says: tokensToMap: a 12×16 map does not hold 196 tokens (196×192)
  tokensToMap({ prefixTokens: 1, grid: [12, 16] }),
)

export const nothingButPrefix = pipe(
  input(3, 192),
  // says: tokensToMap: 3 prefix tokens leave nothing of 3 (3×192)
  tokensToMap({ prefixTokens: 3 }),
)

// gives: [12, 16, 64]
export const rectangle = pipe(input(192, 64), tokensToMap({ grid: [12, 16] }))

// gives: [28, 42, 8]
export const larger = pipe(input(14, 21, 8), upsample(2, { kind: 'nearest' }))

export const largerTokens = pipe(
  input(196, 192),
  // says: upsample: expects an image of height×width×channels, got 196×192
  upsample(2),
)

export const aLevelOfTokens = pipe(
  inputs({ p3: input(28, 28, 8), p4: input(196, 8) }),
  // says: featurePyramid: level p4 is 196×8, not a map of height×width×channels
  featurePyramid({ dim: 4 }),
)

export const noLevels = pipe(
  input(28, 28, 8),
  // says: joinLevels: expects a record of signals, got 28×28×8
  joinLevels(),
)

// gives: [28, 20, 14]
export const joined = pipe(inputs({ b: input(14, 10, 4), a: input(28, 20, 8), c: input(7, 5, 2) }), joinLevels())
