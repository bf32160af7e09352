import type { Either } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { classToken, encoderBlock, expose, expectShape, fanOut, features, field, flattenTokens, gatedPositionalAttention, gelu, input, layerNorm, linear, named, parallel, repeat, residual, serial, skipTokens, stages, tap, upsample, windowAttention, windows } from 'vitrail'
import { recipes } from 'vitrail/recipes'

/** What a function that may fail gave. */
const given = <T>(made: Either<unknown, T>): T => {
  if (made._tag === 'Left') throw new Error('it failed')
  return made.right
}

// gives: { early: [197, 192], seen: [3, 197, 197], norm: [197, 192], attention: [197, 192] }
export const ofARecipe = given(features(recipes.vit_tiny_patch16_224, { early: 'blocks.3', seen: 'blocks.3.attn.weights', norm: 'norm', attention: 'blocks.0.attn' }))

// gives: { p2: [56, 56, 96], p3: [28, 28, 192], p4: [14, 14, 384], p5: [7, 7, 768], inside: [28, 28, 192] }
export const levelsOfASwin = given(features(recipes.swin_tiny_patch4_window7_224.model, { p2: 'layers.0', p3: 'layers.1', p4: 'layers.2', p5: 'layers.3', inside: 'layers.1.blocks.1' }))

// gives: { fine: [28, 28, 192], coarse: [14, 14, 384] }
export const levelsBeforeMerging = given(features(recipes.ms_swin_tiny_patch4_window7_224, { fine: 'layers.0', coarse: 'layers.1' }))

// gives: { local: [4, 196, 196], last: [4, 197, 197] }
export const weightsOfAConvit = given(features(recipes.convit_tiny, { local: 'blocks.0.attn.weights', last: 'blocks.11.attn.weights' }))

// gives: { early: [197, 192], attention: [3, 197, 197], whole: [197, 192] }
export const exposed = pipe(input(197, 192), expose(repeat(12, encoderBlock({ numHeads: 3 })), { early: 'blocks.2', attention: 'blocks.11.attn.weights', whole: '' }))

// gives: { first: [28, 28, 96], second: [28, 28, 3], whole: [28, 28, 4] }
export const throughStages = pipe(
  input(28, 28, 96),
  expose(stages(gelu(), serial(named('inner', linear(3)), linear(4))), { first: 'stages.0', second: 'stages.1.inner', whole: '' }),
)

// gives: { weights: [2, 9, 9], head: [9, 5] }
export const ofGatedAttention = pipe(input(9, 8), expose(serial(residual(serial(layerNorm(), gatedPositionalAttention({ numHeads: 2 }))), named('head', linear(5))), { weights: 'attn.weights', head: 'head' }))

// gives: { a: [9, 2], b: [9, 3] }
export const ofFields = pipe(input(9, 8), expose(fanOut({ x: linear(2), y: serial(named('inside', linear(3)), linear(4)) }), { a: 'x', b: 'y.inside' }))

// gives: { seen: [9, 3], windows: [4, 2, 4, 4] }
export const stated = pipe(
  input(4, 4, 8),
  expose(serial(windows({ windowSize: 2 }, windowAttention({ numHeads: 2 })), flattenTokens(), skipTokens(7), tap('seen', linear(3))), { seen: 'seen', windows: 'attn.weights' }),
  parallel({ seen: expectShape(9, 3), windows: expectShape(4, 2, 4, 4) }),
)

export const notWhatWasStated = pipe(
  input(9, 8),
  expose(tap('seen', linear(3)), { seen: 'seen' }),
  // at run time: expectShape: 9×4 was declared, but 9×3 arrives
  parallel({ seen: expectShape(9, 4) }),
)

export const headsOfAnExposedBlock = pipe(
  input(197, 192),
  // says: attention: 192 channels do not split into 5 heads (197×192)
  // at: blocks.0 › attention
  expose(repeat(12, encoderBlock({ numHeads: 5 })), { early: 'blocks.2' }),
)

export const aMapWhereTokensAreExposed = pipe(
  input(197, 192),
  expose(repeat(12, encoderBlock({ numHeads: 3 })), { early: 'blocks.2' }),
  field('early'),
  // says: upsample: expects an image of height×width×channels, got 197×192
  upsample(2),
)

export const aPathThatIsNowhere = pipe(
  input(197, 192),
  // at run time: expose: there is nothing at 'blocks.12'
  expose(repeat(12, encoderBlock({ numHeads: 3 })), { late: 'blocks.12' }),
)

// gives: [197, 192]
export const backFromTokens = pipe(input(14, 14, 192), flattenTokens(), classToken(), encoderBlock({ numHeads: 3, causal: true }))
