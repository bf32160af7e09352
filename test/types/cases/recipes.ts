import { pipe } from 'fp-ts/lib/function.js'
import { input, linear, type Model } from 'vitrail'
import { deitDistilled, recipes, vit, vitRecipe, vitTokens } from 'vitrail/recipes'

// gives: [1000]
export const base: Model<readonly [224, 224, 3], readonly [1000]> = recipes.vit_base_patch16_224.model

// gives: [1000]
export const large = recipes.vit_large_patch16_384.model

// gives: [1000]
export const averaged = recipes.vit_base_patch16_gap_224.model

// gives: [21843]
export const in21k = recipes.vit_large_patch16_224_in21k.model

// gives: [1000]
export const distilled: Model<readonly [384, 384, 3], readonly [1000]> = recipes.deit_base_distilled_patch16_384.model

// gives: [1000]
export const third = recipes.deit3_huge_patch14_224.model

// gives: [257, 384]
export const withoutPooling = vitRecipe({ imageSize: 224, patchSize: 14, dim: 384, depth: 12, numHeads: 6, numClasses: 0, pool: 'none' }).model

// gives: [384]
export const withoutHead = vitRecipe({ imageSize: 224, patchSize: 14, dim: 384, depth: 12, numHeads: 6, numClasses: 0 }).model

// gives: [261, 384]
export const registers = pipe(input(224, 224, 3), vitTokens({ patchSize: 14, dim: 384, depth: 12, numHeads: 6, registers: 4, prefixPositions: false }))

// gives: [16, 192]
export const bareTokens = pipe(input(64, 64, 3), vitTokens({ patchSize: 16, dim: 192, depth: 1, numHeads: 3, classToken: false, positions: 'none' }))

// gives: [7]
export const asALayer = pipe(input(64, 96, 3), vit({ patchSize: [16, 32], dim: 192, depth: 1, numHeads: 3, numClasses: 10 }), linear(7))

// gives: [5]
export const twoHeads = pipe(input(32, 32, 3), deitDistilled({ patchSize: 16, dim: 48, depth: 1, numHeads: 3, numClasses: 5 }))

export const wrongHeads = pipe(
  input(224, 224, 3),
  // says: attention: 768 channels do not split into 11 heads (197×768)
  // at: blocks.0 › attention
  vit({ patchSize: 16, dim: 768, depth: 12, numHeads: 11 }),
)

export const wrongImage = pipe(
  input(225, 225, 3),
  // says: patchEmbed: 225×225 does not divide into 16×16 patches with stride 16×16
  // at: patch_embed.proj › patchEmbed
  // remedy: the nearest sizes that fit: 224, 240
  vit({ patchSize: 16, dim: 768, depth: 12, numHeads: 12 }),
)

export const wrongHeadsOfADistilledOne = pipe(
  input(32, 32, 3),
  // says: attention: 50 channels do not split into 3 heads (6×50)
  // at: blocks.0 › attention
  deitDistilled({ patchSize: 16, dim: 50, depth: 1, numHeads: 3, numClasses: 5 }),
)
