import { pipe } from 'fp-ts/lib/function.js'
import { absolutePositionEmbed, encoderBlock, expectWindows, flattenTokens, globalPool, input, layerNorm, linear, named, patchMerging, repeat, residual, serial, windowAttention, windows, type Model } from 'vitrail'
import { recipes, swin, swinFeatures } from 'vitrail/recipes'

export const aWindowThatLeavesARest = pipe(
  input(14, 14, 96),
  // says: windows: 14×14 does not divide into windows of 4×4
  // remedy: the nearest sizes that fit: 12, 16
  windows({ windowSize: 4 }, windowAttention({ numHeads: 3 })),
)

export const alongTheOtherAxis = pipe(
  input(14, 15, 96),
  // says: windows: 14×15 does not divide into windows of 7×2
  // at: blocks.0 › windows
  // remedy: the nearest sizes that fit: 14, 16
  repeat(2, residual(serial(layerNorm(), windows({ windowSize: [7, 2], shift: [3, 1] }, windowAttention({ numHeads: 3 }))))),
)

export const aWindowLargerThanTheMapThatIsNotClamped = pipe(
  input(7, 7, 96),
  // says: windows: 7×7 does not divide into windows of 8×8
  // remedy: the nearest size that fits: 8
  windows({ windowSize: 8, clamp: 'never' }, windowAttention({ numHeads: 3 })),
)

export const oneSideForBoth = pipe(
  input(6, 8, 96),
  // says: windows: 6×8 does not divide into windows of 6×6
  // remedy: the nearest sizes that fit: 6, 12
  windows({ windowSize: 7, clamp: 'both' }, windowAttention({ numHeads: 3 })),
)

export const headsInsideAWindow = pipe(
  input(14, 14, 96),
  // says: attention: 96 channels do not split into 5 heads (49×96)
  windows({ windowSize: 7 }, windowAttention({ numHeads: 5 })),
)

export const aBlockThatLosesTheTokens = pipe(
  input(14, 14, 96),
  // says: windows: the block turns 49×96 into 96, whose tokens have no places in the map
  windows({ windowSize: 7 }, globalPool()),
)

export const windowsOfTokens = pipe(
  input(196, 96),
  // says: windows: expects an image of height×width×channels, got 196×96
  windows({ windowSize: 7 }, windowAttention({ numHeads: 3 })),
)

export const tokensThatAreAnotherWindow = pipe(
  input(49, 96),
  // says: attention: 49 tokens are not a window of 7×8 (49×96)
  // at: block › attention
  named('block', windowAttention({ numHeads: 3, windowSize: [7, 8] })),
)

export const anOddMap = pipe(
  input(14, 7, 96),
  // says: patchMerging: 14×7 does not divide into 2×2 neighbours
  // remedy: the nearest sizes that fit: 6, 8
  patchMerging(),
)

export const aStage = pipe(
  input(14, 14, 96),
  // says: stage 3 is 14×14 and does not divide into windows of 4
  // remedy: the nearest image sizes that fit: 128, 256
  expectWindows({ stage: 3, stages: 4, windowSize: 4, patchSize: 4 }),
)

export const aStageWithoutALargerNeighbour = pipe(
  input(14, 14, 96),
  // says: stage 1 is 14×14 and does not divide into windows of 9×7
  // remedy: the nearest image size that fits: 288
  expectWindows({ stage: 1, stages: 4, windowSize: [9, 7], patchSize: 4 }),
)

export const swinWhoseWindowsDoNotFit = pipe(
  input(224, 224, 3),
  // says: stage 3 is 14×14 and does not divide into windows of 4
  // at: layers.2 › stage
  // remedy: the nearest image sizes that fit: 128, 256
  swin({ patchSize: 4, dim: 96, depths: [2, 2, 6, 2], numHeads: [3, 6, 12, 24], windowSize: 4 }),
)

export const swinWhoseImageDoesNotFit = pipe(
  input(224, 256, 3),
  // says: stage 1 is 56×64 and does not divide into windows of 7
  // at: layers.0 › stage
  // remedy: the nearest image sizes that fit: 224, 448
  swin({ patchSize: 4, dim: 96, depths: [2, 2, 6, 2], numHeads: [3, 6, 12, 24], windowSize: 7, names: 'microsoft' }),
)

export const swinWhoseHeadsDoNotDivide = pipe(
  input(224, 224, 3),
  // says: attention: 192 channels do not split into 5 heads (49×192)
  // at: layers.1.blocks.0 › attention
  swin({ patchSize: 4, dim: 96, depths: [2, 2, 6, 2], numHeads: [3, 5, 12, 24], windowSize: 7 }),
)

export const swinWhoseMapsDoNotHalve = pipe(
  input(56, 56, 3),
  // says: patchMerging: 7×7 does not divide into 2×2 neighbours
  // at: layers.1.downsample › patchMerging
  // remedy: the nearest sizes that fit: 6, 8
  swin({ patchSize: 4, dim: 96, depths: [2, 2, 2], numHeads: [3, 6, 12], windowSize: 7, names: 'microsoft' }),
)

// gives: [56, 56, 96]
export const one = pipe(input(56, 56, 96), windows({ windowSize: 7, shift: 3 }, windowAttention({ numHeads: 3 })))

// gives: [14, 15, 32]
export const padded = pipe(input(14, 15, 96), windows({ windowSize: 4, padding: true }, serial(encoderBlock({ numHeads: 3 }), linear(32))))

// gives: [7, 14, 96]
export const clamped = pipe(input(7, 14, 96), windows({ windowSize: 14 }, windowAttention({ numHeads: 3 })))

// gives: [14, 14, 96]
export const paddedOrNot = pipe(input(14, 14, 96), windows({ windowSize: 7, padding: false as boolean, clamp: 'each' as 'each' | 'both' | 'never' }, windowAttention({ numHeads: 3 })))

// at run time: windows: 14×14 does not divide into windows of 4×4
export const notPaddedAfterAll = pipe(input(14, 14, 96), windows({ windowSize: 4, padding: false as boolean }, windowAttention({ numHeads: 3 })))

// gives: [49, 96]
export const headsOfTheirOwnSize = pipe(input(49, 96), windowAttention({ numHeads: 5, headDim: 32 }))

// gives: [28, 14, 192]
export const merged = pipe(input(56, 28, 96), absolutePositionEmbed(), patchMerging())

// gives: [4, 4, 16]
export const mergedOdd = pipe(input(7, 8, 8), patchMerging({ padding: true }))

// gives: [49, 10]
export const mergedToTen = pipe(input(14, 14, 96), patchMerging({ dim: 10 }), flattenTokens())

// gives: [1000]
export const tiny: Model<readonly [224, 224, 3], readonly [1000]> = recipes.swin_tiny_patch4_window7_224.model

// gives: [1000]
export const microsoftLarge: Model<readonly [384, 384, 3], readonly [1000]> = recipes.ms_swin_large_patch4_window12_384.model

// gives: [7, 14, 768]
export const features = pipe(input(224, 448, 3), swinFeatures({ patchSize: 4, dim: 96, depths: [2, 2, 6, 2], numHeads: [3, 6, 12, 24], windowSize: 7 }))

// gives: [7, 7, 768]
export const paddedFeatures = pipe(input(224, 224, 3), swin({ patchSize: 4, dim: 96, depths: [2, 2, 6, 2], numHeads: [3, 6, 12, 24], windowSize: 4, padding: true, numClasses: 0, pool: 'none' }))

// gives: [10]
export const windowsOfEachStage = pipe(input(112, 112, 3), swin({ patchSize: 4, dim: 96, depths: [2, 2], numHeads: [3, 6], windowSize: 7, windowSizes: [7, [2, 14]], numClasses: 10 }))

// at run time: attention: 12 tokens are not a square window (12×96)
export const noSquare = pipe(input(12, 96), windowAttention({ numHeads: 3 }))

// at run time: windows: shift must be a whole number from 0 and below the window's 7, got 7
export const shiftedTooFar = pipe(input(14, 14, 96), windows({ windowSize: 7, shift: 7 }, windowAttention({ numHeads: 3 })))
