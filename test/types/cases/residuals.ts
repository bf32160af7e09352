import { pipe } from 'fp-ts/lib/function.js'
import { classToken, gelu, identity, input, layerNorm, linear, mlp, named, repeat, residual, serial, stages, takeToken } from 'vitrail'

export const aBranchOfAnotherWidth = pipe(
  input(196, 192),
  // says: residual: the branch turns 196×192 into 196×100, which cannot be added to its input
  residual(serial(layerNorm(), linear(100))),
)

export const aBranchThatTakesAToken = pipe(
  input(196, 192),
  // says: residual: the branch turns 196×192 into 192, which cannot be added to its input
  residual(takeToken(0)),
)

export const aWidthThatIsForgottenInsideABlock = pipe(
  input(197, 192),
  // says: residual: the branch turns 197×192 into 197×768, which cannot be added to its input
  // at: blocks.0.mlp › residual
  repeat(12, serial(residual(mlp()), named('mlp', residual(serial(layerNorm(), linear(768), gelu()))))),
)

export const inTheSecondStage = pipe(
  input(197, 192),
  // says: residual: the branch turns 197×20 into 197×10, which cannot be added to its input
  // at: stages.1 › residual
  stages(linear(20), residual(linear(10))),
)

export const residualInResidual = pipe(
  input(10, 8),
  // says: residual: the branch turns 10×8 into 10×4, which cannot be added to its input
  residual(serial(residual(identity()), residual(linear(4)))),
)

export const aBlockThatGrows = pipe(
  input(196, 192),
  // says: repeat: the block turns 196×192 into 197×192, so it cannot follow itself
  repeat(2, classToken()),
)

export const aBlockThatNarrowsInsideOthers = pipe(
  input(196, 192),
  // says: repeat: the block turns 196×192 into 196×96, so it cannot follow itself
  // at: encoder.blocks.0 › repeat
  named('encoder', serial(identity(), repeat(2, serial(layerNorm(), repeat(3, linear(96)))))),
)

// gives: [196, 192]
export const fits = pipe(input(196, 192), repeat(3, residual(serial(layerNorm(), linear(768), gelu(), linear(192)))))
