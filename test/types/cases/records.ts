import { pipe } from 'fp-ts/lib/function.js'
import { crossAttention, fanOut, gelu, identity, input, inputs, integerInput, layerNorm, linear, merge, named, parallel, patchEmbed, residual, selfAttention, serial, similarityScale, takeLargestToken, takeToken } from 'vitrail'

export const aSumOfAVectorAndTokens = pipe(
  input(197, 192),
  fanOut({ a: takeToken(0), b: linear(10) }),
  // says: merge(add): a is 192, but b is 197×10
  merge('add'),
)

export const anAverageOfTwoHeads = pipe(
  input(198, 192),
  fanOut({ head: takeToken(0), head_dist: takeToken(1) }),
  parallel({ head: linear(1000), head_dist: linear(100) }),
  // says: merge(average): head is 1000, but head_dist is 100
  merge('average'),
)

export const channelsBesideChannelsOfOtherTokens = pipe(
  inputs({ image: input(196, 192), text: input(77, 192) }),
  // says: merge(concat): image is 196×192, but text is 77×192
  merge('concat'),
)

export const aProductInANamedFusion = pipe(
  inputs({ left: input(8, 4), right: input(8, 5) }),
  // says: merge(multiply): left is 8×4, but right is 8×5
  // at: fusion › merge
  named('fusion', serial(identity(), merge('multiply'))),
)

export const aMergeOfOneTensor = pipe(
  input(197, 192),
  // says: merge: expects a record of signals, got 197×192
  merge('add'),
)

export const anUnknownField = pipe(
  inputs({ image: input(196, 192), text: input(77, 192) }),
  // says: parallel: there is no field txt in the record that arrives
  parallel({ image: layerNorm(), txt: layerNorm() }),
)

export const parallelOfOneTensor = pipe(
  input(197, 192),
  // says: parallel: expects a record of signals, got 197×192
  parallel({ image: layerNorm() }),
)

export const parallelOfIntegers = pipe(
  integerInput(77),
  // says: parallel: expects a record of signals, got integers 77
  parallel({ image: layerNorm() }),
)

export const aMisfitInOneField = pipe(
  inputs({ image: input(196, 192), text: input(77, 100) }),
  // says: attention: 100 channels do not split into 3 heads (77×100)
  // at: text › attention
  parallel({ image: selfAttention({ numHeads: 3 }), text: selfAttention({ numHeads: 3 }) }),
)

export const aTokenThatOneBranchLacks = pipe(
  input(197, 192),
  // says: takeToken: there is no token 200 among 197 (197×192)
  // at: far › takeToken
  fanOut({ near: takeToken(0), far: takeToken(200) }),
  merge('add'),
)

export const aNormOfARecord = pipe(
  inputs({ image: input(196, 192), text: input(77, 192) }),
  // says: layerNorm: expects at least a channel axis, got a record
  layerNorm(),
)

export const anActivationOfARecord = pipe(
  inputs({ image: input(196, 192), text: input(77, 192) }),
  // says: gelu: expects one tensor, got a record
  gelu(),
)

export const aLinearMapOfARecord = pipe(
  input(197, 192),
  fanOut({ a: takeToken(0), b: takeToken(1) }),
  // says: linear: expects at least a channel axis, got a record
  // at: head › linear
  named('head', linear(1000)),
)

export const aResidualOfARecord = pipe(
  inputs({ image: input(196, 192), text: input(77, 192) }),
  // says: residual: expects one tensor, got a record
  residual(identity()),
)

export const patchesOfARecord = pipe(
  inputs({ image: input(224, 224, 3), text: integerInput(77) }),
  // says: patchEmbed: expects an image of height×width×channels, got a record
  patchEmbed({ patchSize: 16, dim: 192 }),
)

// gives: { image: [196, 192], text: [77, 10] }
export const oneFieldPasses = pipe(inputs({ image: input(196, 192), text: input(77, 192) }), parallel({ text: linear(10) }))

// gives: [197, 202]
export const channelsSideBySide = pipe(input(197, 192), fanOut({ a: identity(), b: linear(10) }), merge('concat'))

// gives: { image: [14, 14, 192], text: Integers<[77]> }
export const imageAndText = pipe(inputs({ image: input(224, 224, 3), text: integerInput(77) }), parallel({ image: patchEmbed({ patchSize: 16, dim: 192 }) }))

export const idsOfAnotherText = pipe(
  inputs({ x: input(77, 512), ids: integerInput(76) }),
  // says: takeLargestToken: 77 tokens need as many ids, got 76
  takeLargestToken(),
)

export const memoryOfOtherChannels = pipe(
  inputs({ x: input(100, 256), memory: input(196, 192) }),
  // says: crossAttention: tokens are 100×256, but what they attend to is 196×192
  crossAttention({ numHeads: 8 }),
)

export const towersOfDifferentFeatures = pipe(
  inputs({ image_features: input(512), text_features: input(768) }),
  // says: similarityScale: images have 512 features, but texts have 768
  similarityScale(),
)

export const tokensForFeatures = pipe(
  inputs({ image_features: input(50, 512), text_features: input(512) }),
  // says: similarityScale: expects one vector of features, got 50×512
  similarityScale(),
)
