import { pipe } from 'fp-ts/lib/function.js'
import { dropout, embedding, expectShape, input, integerInput, layerNorm, linear, named, relu, repeat, residual, selfAttention, takeToken } from 'vitrail'

export const anEmbeddingOfFloats = pipe(
  input(77),
  // says: embedding: expects integers (token ids), got 77
  embedding({ vocabularySize: 49408, dim: 512 }),
)

export const anEmbeddingTwice = pipe(
  integerInput(77),
  embedding({ vocabularySize: 49408, dim: 512 }),
  // says: embedding: expects integers (token ids), got 77×512
  // at: again › embedding
  named('again', embedding({ vocabularySize: 49408, dim: 512 })),
)

export const aLinearMapOfIds = pipe(
  integerInput(77),
  // says: linear: expects at least a channel axis, got integers 77
  linear(512),
)

export const aNormOfIds = pipe(
  integerInput(77, 2),
  // says: layerNorm: expects at least a channel axis, got integers 77×2
  layerNorm(),
)

export const attentionOverIds = pipe(
  integerInput(77, 8),
  // says: attention: expects tokens×channels, got integers 77×8
  // at: blocks.0 › attention
  repeat(2, selfAttention({ numHeads: 2 })),
)

export const anActivationOfIds = pipe(
  integerInput(77),
  // says: relu: expects one tensor, got integers 77
  relu(),
)

export const droppedIds = pipe(
  integerInput(77),
  // says: dropout: expects one tensor, got integers 77
  dropout(0.1),
)

export const aResidualOfIds = pipe(
  integerInput(77),
  // says: residual: expects one tensor, got integers 77
  residual(dropout(0.1)),
)

export const idsDeclaredAsFloats = pipe(
  integerInput(77),
  // says: expectShape: 77 was declared, but integers 77 arrives
  expectShape(77),
)

// gives: [512]
export const text = pipe(integerInput(77), embedding({ vocabularySize: 49408, dim: 512 }), takeToken(76))
