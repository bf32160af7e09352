import { pipe } from 'fp-ts/lib/function.js'
import { flattenTokens, input, named, patchEmbed, positionEmbed } from 'vitrail'

export const anImageOnePixelTooHigh = pipe(
  input(225, 224, 3),
  // says: patchEmbed: 225×224 does not divide into 16×16 patches with stride 16×16
  // remedy: the nearest sizes that fit: 224, 240
  patchEmbed({ patchSize: 16, dim: 192 }),
  flattenTokens(),
)

export const anImageTooNarrow = pipe(
  input(224, 223, 3),
  // says: patchEmbed: 224×223 does not divide into 16×16 patches with stride 16×16
  // remedy: the nearest sizes that fit: 208, 224
  patchEmbed({ patchSize: 16, dim: 192 }),
)

export const aPatchThatDoesNotDivide = pipe(
  input(224, 224, 3),
  // says: patchEmbed: 224×224 does not divide into 15×15 patches with stride 15×15
  // at: patch_embed.proj › patchEmbed
  // remedy: the nearest sizes that fit: 210, 225
  named('patch_embed', named('proj', patchEmbed({ patchSize: 15, dim: 192 }))),
)

export const aPatchOfTwoSizes = pipe(
  input(128, 100, 1),
  // says: patchEmbed: 128×100 does not divide into 16×8 patches with stride 16×8
  // remedy: the nearest sizes that fit: 96, 104
  patchEmbed({ patchSize: [16, 8], dim: 192 }),
)

export const overlapThatLeavesPixelsOver = pipe(
  input(224, 224, 3),
  // says: patchEmbed: 224×224 does not divide into 16×16 patches with stride 10×10
  // remedy: the nearest sizes that fit: 216, 226
  patchEmbed({ patchSize: 16, stride: 10, dim: 192 }),
)

export const overlapOfTwoStrides = pipe(
  input(226, 224, 3),
  // says: patchEmbed: 226×224 does not divide into 16×16 patches with stride 10×12
  // remedy: the nearest sizes that fit: 220, 232
  patchEmbed({ patchSize: 16, stride: [10, 12], dim: 192 }),
)

export const aPatchLargerThanTheImage = pipe(
  input(8, 224, 3),
  // says: patchEmbed: a 16×16 patch is larger than the image 8×224
  patchEmbed({ patchSize: 16, dim: 192 }),
)

export const anOverlappingPatchLargerThanTheImage = pipe(
  input(32, 12, 3),
  // says: patchEmbed: a 16×16 patch is larger than the image 32×12
  patchEmbed({ patchSize: 16, stride: 8, dim: 192 }),
)

export const patchesOfTokens = pipe(
  input(196, 192),
  // says: patchEmbed: expects an image of height×width×channels, got 196×192
  patchEmbed({ patchSize: 16, dim: 192 }),
)

export const tokensOfTokens = pipe(
  input(196, 192),
  // says: flattenTokens: expects an image of height×width×channels, got 196×192
  flattenTokens(),
)

// gives: [22, 22, 192]
export const overlapThatFits = pipe(input(226, 226, 3), patchEmbed({ patchSize: 16, stride: 10, dim: 192 }))

// gives: [8, 12, 192]
export const oblong = pipe(input(128, 96, 1), patchEmbed({ patchSize: [16, 8], dim: 192 }), positionEmbed({ kind: 'learned2d' }))

// gives: [1369, 768]
export const dinov2 = pipe(input(518, 518, 3), patchEmbed({ patchSize: 14, dim: 768 }), flattenTokens())

// at run time: patchEmbed: dim must be a whole number from 1 to 10^9, got 0
export const noChannels = pipe(input(32, 32, 3), patchEmbed({ patchSize: 16, dim: 0 }))
