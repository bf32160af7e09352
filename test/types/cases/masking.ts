import { pipe } from 'fp-ts/lib/function.js'
import { field, fold, input, inputs, integerInput, linear, maskTokens, named, parallel, performerAttention, positionEmbed, tokenAttention, unfold, unmaskTokens, unnamed, type Integers, type Model } from 'vitrail'

export const aQuarterOfThePatches: Model<{ readonly x: readonly [197, 768]; readonly noise: readonly [196] }, { readonly x: readonly [50, 768]; readonly mask: readonly [196]; readonly ids_restore: Integers<readonly [196]> }> = pipe(
  inputs({ x: input(197, 768), noise: input(196) }),
  maskTokens({ maskRatio: 0.75, prefixTokens: 1 }),
)

// Of 0.6 a float64 is not exact, so that rounding decides how many stay.
export const aShareThatIsRounded: Model<{ readonly x: readonly [16, 8]; readonly noise: readonly [16] }, { readonly x: readonly [number, 8]; readonly mask: readonly [16]; readonly ids_restore: Integers<readonly [16]> }> = pipe(
  inputs({ x: input(16, 8), noise: input(16) }),
  maskTokens({ maskRatio: 0.6 }),
)

export const thereAndBackAgain: Model<{ readonly x: readonly [17, 8]; readonly noise: readonly [16] }, readonly [17, 12]> = pipe(
  inputs({ x: input(17, 8), noise: input(16) }),
  maskTokens({ maskRatio: 0.5, prefixTokens: 1 }),
  parallel({ x: unnamed(named('decoder_embed', linear(12))) }),
  unmaskTokens({ prefixTokens: 1 }),
  positionEmbed({ kind: 'sinCos2d', stored: 'decoder_pos_embed' }),
)

export const noNoise = pipe(
  inputs({ x: input(17, 8), ids: integerInput(16) }),
  // says: maskTokens: there is no field noise in the record that arrives
  maskTokens({ maskRatio: 0.5 }),
)

export const noiseForTheClassTokenToo = pipe(
  inputs({ x: input(17, 8), noise: input(17) }),
  // says: maskTokens: 16 tokens after 1 others need one number of noise each, got 17
  maskTokens({ maskRatio: 0.5, prefixTokens: 1 }),
)

export const noiseOfOneImageForTokensOfAnother = pipe(
  inputs({ x: input(16, 8), noise: input(4, 4) }),
  // says: maskTokens: 16 tokens after 0 others need one number of noise each, got 4×4
  // at: encoder › maskTokens
  named('encoder', maskTokens({ maskRatio: 0.5 })),
)

export const nothingIsKept = pipe(
  inputs({ x: input(3, 8), noise: input(3) }),
  // says: maskTokens: masking 0.75 of 3 tokens keeps none
  maskTokens({ maskRatio: 0.75 }),
)

export const onlyPrefixTokens = pipe(
  inputs({ x: input(2, 8), noise: input(1) }),
  // says: maskTokens: 2 prefix tokens leave nothing of 2 (2×8)
  maskTokens({ maskRatio: 0.5, prefixTokens: 2 }),
)

export const anImageIsMasked = pipe(
  inputs({ x: input(14, 14, 8), noise: input(196) }),
  // says: maskTokens: expects tokens×channels, got 14×14×8
  maskTokens({ maskRatio: 0.5 }),
)

export const placesThatAreNoIntegers = pipe(
  inputs({ x: input(5, 8), ids_restore: input(16) }),
  // says: unmaskTokens: expects integers (token ids), got 16
  unmaskTokens(),
)

export const moreTokensThanPlaces = pipe(
  inputs({ x: input(18, 8), ids_restore: integerInput(16) }),
  // says: unmaskTokens: 17 tokens after 1 others do not fit into 16 places
  unmaskTokens({ prefixTokens: 1 }),
)

export const noPlaces = pipe(
  inputs({ x: input(5, 8) }),
  // says: unmaskTokens: there is no field ids_restore in the record that arrives
  unmaskTokens(),
)

export const aFieldThatIsNotThere = pipe(
  inputs({ x: input(5, 8) }),
  // says: field: there is no field y in the record that arrives
  field('y'),
)

export const aFieldOfATensor = pipe(
  input(5, 8),
  // says: field: expects a record of signals, got 5×8
  field('x'),
)

export const anUnnamedMisfit = pipe(
  inputs({ x: input(5, 8) }),
  // says: unfold: expects an image of height×width×channels, got 5×8
  parallel({ x: unnamed(unfold({ size: 2 })) }),
)

export const softSplits: Model<readonly [224, 224, 3], readonly [14, 14, 576]> = pipe(
  input(224, 224, 3),
  unfold({ size: 7, stride: 4, padding: 2 }),
  performerAttention({ dim: 64 }),
  unfold({ size: 3, stride: 2, padding: 1 }),
  tokenAttention({ dim: 64 }),
  unfold({ size: 3, stride: 2, padding: 1 }),
)

export const aWindowTooLarge = pipe(
  input(4, 2, 3),
  // says: unfold: a 5×5 window is larger than the padded image 4×2
  unfold({ size: 5, stride: 2, padding: 1 }),
)

export const foldedBack: Model<readonly [56, 56, 147], readonly [224, 224, 3]> = pipe(
  input(56, 56, 147),
  fold({ imageSize: [224, 224], size: 7, stride: 4, padding: 2 }),
)

export const windowsOfAnotherImage = pipe(
  input(56, 56, 147),
  // says: fold: a 196×224 map has 49×56 windows of 7×7, but 56×56×147 arrives
  fold({ imageSize: [196, 224], size: 7, stride: 4, padding: 2 }),
)

export const channelsThatAreNoWindows = pipe(
  input(3, 3, 10),
  // says: fold: a 4×4 map has 3×3 windows of 2×2, but 3×3×10 arrives
  fold({ imageSize: [4, 4], size: 2 }),
)

export const aVectorHasNoTokensToMix = pipe(
  input(64),
  // says: performerAttention: expects tokens×channels, got 64
  performerAttention({ dim: 32 }),
)
