import { pipe } from 'fp-ts/lib/function.js'
import { classToken, flattenTokens, gatedPositionalAttention, input, named, patchEmbed, repeat, residual, selfAttention, skipTokens, type Model } from 'vitrail'
import { convit, convitRecipe, recipes } from 'vitrail/recipes'

export const onAClassToken = pipe(
  input(224, 224, 3),
  patchEmbed({ patchSize: 16, dim: 192 }),
  flattenTokens(),
  classToken(),
  // says: gatedPositionalAttention: 197 tokens are no square grid of patches (197×192)
  // remedy: give the grid, or let the class token join after these blocks
  gatedPositionalAttention({ numHeads: 4 }),
)

export const onARectangle = pipe(
  input(14, 15, 192),
  flattenTokens(),
  // says: gatedPositionalAttention: 210 tokens are no square grid of patches (210×192)
  // at: blocks.0 › gatedPositionalAttention
  // remedy: give the grid, or let the class token join after these blocks
  repeat(2, residual(gatedPositionalAttention({ numHeads: 4 }))),
)

export const onAnotherGrid = pipe(
  input(14, 15, 192),
  flattenTokens(),
  // says: gatedPositionalAttention: a 15×15 grid does not hold 210 tokens (210×192)
  gatedPositionalAttention({ numHeads: 4, grid: [15, 15] }),
)

export const withFiveHeads = pipe(
  input(196, 192),
  // says: attention: 192 channels do not split into 5 heads (196×192)
  gatedPositionalAttention({ numHeads: 5 }),
)

export const onAnImage = pipe(
  input(14, 14, 192),
  // says: attention: expects tokens×channels, got 14×14×192
  gatedPositionalAttention({ numHeads: 4 }),
)

export const inAWholeRecipe = pipe(
  input(224, 224, 3),
  // says: attention: 192 channels do not split into 5 heads (196×192)
  // at: blocks.0 › attention
  convit({ patchSize: 16, dim: 192, depth: 12, numHeads: 5 }),
)

export const whereNoBlockIsLocal = pipe(
  input(224, 224, 3),
  // says: attention: 192 channels do not split into 5 heads (197×192)
  // at: blocks.0 › attention
  convit({ patchSize: 16, dim: 192, depth: 12, numHeads: 5, localLayers: 0 }),
)

export const onARectangularImage = pipe(
  input(224, 256, 3),
  // says: gatedPositionalAttention: 224 tokens are no square grid of patches (224×192)
  // at: blocks.0 › gatedPositionalAttention
  // remedy: give the grid, or let the class token join after these blocks
  convit({ patchSize: 16, dim: 192, depth: 12, numHeads: 4 }),
)

export const laterBlocksOfOneScope = pipe(
  input(197, 192),
  // says: attention: 192 channels do not split into 5 heads (197×192)
  // at: blocks.10 › attention
  named('blocks', repeat(2, selfAttention({ numHeads: 5 }), { first: 10 })),
)

export const nothingLeft = pipe(
  input(4, 8),
  // says: skipTokens: 4 prefix tokens leave nothing of 4 (4×8)
  skipTokens(4),
)

// gives: [2, 8]
export const theOthers = pipe(input(4, 8), skipTokens(2))

// gives: [210, 192]
export const withItsGrid = pipe(input(14, 15, 192), flattenTokens(), gatedPositionalAttention({ numHeads: 4, grid: [14, 15] }))

// gives: [1000]
export const published: Model<readonly [224, 224, 3], readonly [1000]> = recipes.convit_base.model

// gives: [192]
export const withoutHead = pipe(input(224, 224, 3), convit({ patchSize: 16, dim: 192, depth: 12, numHeads: 4, numClasses: 0 }))

// gives: [197, 10]
export const withoutPooling = convitRecipe({ imageSize: 224, patchSize: 16, dim: 192, depth: 12, numHeads: 4, pool: 'none', numClasses: 10 }).model

// gives: [196, 10]
export const localToTheEnd = convitRecipe({ imageSize: 224, patchSize: 16, dim: 192, depth: 12, localLayers: 12, numHeads: 4, pool: 'none', numClasses: 10 }).model

// gives: [10]
export const onAGridOfItsOwn = convitRecipe({ imageSize: [224, 256], patchSize: 16, grid: [14, 16], dim: 192, depth: 12, numHeads: 4, numClasses: 10 }).model
