import { pipe } from 'fp-ts/lib/function.js'
import {
  classToken, conv2d, crossAttention, decoderBlock, defineLayer, encoderBlock, fanOut, firstTokens, flattenTokens, identity, input, inputs, integerInput, joinTokens, layerNorm, linear, merge, mlp, named, patchEmbed, repeat, residual, selfAttention, serial,
  skipTokens, tokensToMap, transpose, unnamed, windows, type AnyLayer, type Apply, type Layer, type ShapeFunction, type ShapeFunctionOf,
} from 'vitrail'

const mixer = serial(residual(serial(layerNorm(), transpose(), mlp({ hiddenDim: 64 }), transpose())), residual(serial(layerNorm(), mlp())))

// gives: [196, 512]
export const mixed = pipe(input(224, 224, 3), patchEmbed({ patchSize: 16, dim: 512 }), flattenTokens(), repeat(8, mixer))

// gives: [512, 196]
export const otherWay = pipe(input(196, 512), transpose())

export const forgottenToTurnBack = pipe(
  input(196, 512),
  // says: residual: the branch turns 196×512 into 512×196, which cannot be added to its input
  residual(serial(layerNorm(), transpose(), mlp())),
)

export const mapTransposed = pipe(
  input(14, 14, 192),
  // says: transpose: expects tokens×channels, got 14×14×192
  transpose(),
)

// gives: [1, 192]
export const theClassToken = pipe(input(197, 192), firstTokens(1))

// gives: [5, 192]
export const allOfThem = pipe(input(5, 192), firstTokens(5))

export const moreThanThereAre = pipe(
  input(4, 192),
  // says: firstTokens: 4 tokens have no first 5 (4×192)
  firstTokens(5),
)

// gives: [274, 192]
export const imageAndText = pipe(inputs({ text: input(77, 192), image: input(197, 192) }), joinTokens())

export const ofOtherChannels = pipe(
  inputs({ text: input(77, 128), image: input(197, 192) }),
  // says: joinTokens: image is 197×192, but text is 77×128
  joinTokens(),
)

export const aMapAmongTokens = pipe(
  inputs({ text: input(77, 192), image: input(14, 14, 192) }),
  // says: joinTokens: image is 14×14×192, not tokens×channels
  joinTokens(),
)

export const idsAmongTokens = pipe(
  inputs({ text: integerInput(77), image: input(196, 192) }),
  // says: joinTokens: text is integers 77, not tokens×channels
  // at: join › joinTokens
  named('join', joinTokens()),
)

export const nothingToJoin = pipe(
  input(197, 192),
  // says: joinTokens: expects a record of signals, got 197×192
  joinTokens(),
)

// CaiT's class attention: only the class token looks, and only it changes.
const classAttention = <const H extends number>(numHeads: H) =>
  serial(
    fanOut({
      cls: unnamed(residual(serial(named('norm1', layerNorm()), fanOut({ x: firstTokens(1), memory: identity() }), crossAttention({ numHeads, naming: 'q,k,v' })), firstTokens(1))),
      patches: skipTokens(1),
    }),
    joinTokens(),
  )

// gives: [197, 192]
export const cait = pipe(input(196, 192), classToken(), repeat(2, classAttention(4)))

export const caitOfSevenHeads = pipe(
  input(196, 192),
  classToken(),
  // says: attention: 192 channels do not split into 7 heads (1×192)
  // at: blocks.0 › attention
  repeat(2, classAttention(7)),
)

// PVT's attention, to a map that a convolution made smaller; on maps as they are, and on their tokens.
const reduced = <const D extends number, const R extends number>(dim: D, ratio: R) =>
  residual(serial(fanOut({ x: identity(), memory: conv2d({ dim, kernelSize: ratio, stride: ratio }) }), crossAttention({ numHeads: 2, naming: 'q,kv' })))

// gives: [56, 40, 64]
export const pvt = pipe(input(56, 40, 64), reduced(64, 8))

// gives: [56, 56, 64]
export const pvtOnTokens = pipe(input(56, 56, 64), residual(serial(fanOut({ x: flattenTokens(), memory: conv2d({ dim: 64, kernelSize: 8, stride: 8 }) }), crossAttention({ numHeads: 2 }), tokensToMap())))

export const decodersTakeTokens = pipe(
  inputs({ x: input(10, 64), memory: input(7, 7, 64) }),
  // says: crossAttention: expects tokens×channels, got 7×7×64
  decoderBlock({ numHeads: 2 }),
)

export const keysOfAnotherMap = pipe(
  inputs({ x: input(10, 64), memory: input(7, 7, 64), keys: input(7, 6, 64) }),
  // says: crossAttention: what is attended to is 49×64, but its keys are 42×64
  crossAttention({ numHeads: 2 }),
)

export const anImageOfFourAxes = pipe(
  inputs({ x: input(2, 7, 7, 64), memory: input(7, 7, 64) }),
  // says: crossAttention: expects tokens×channels, got 2×7×7×64
  crossAttention({ numHeads: 2 }),
)

export const headsOnAMap = pipe(
  inputs({ x: input(4, 5, 64), memory: input(7, 64) }),
  // says: attention: 64 channels do not split into 3 heads (20×64)
  crossAttention({ numHeads: 3 }),
)

export const memoryOfOtherChannels = pipe(
  input(56, 56, 64),
  // says: crossAttention: tokens are 3136×64, but what they attend to is 49×32
  reduced(32, 8),
)

// U-ViT: what comes back up meets what went down.
const rung = <const I extends number, const D extends number, L extends AnyLayer>(index: I, dim: D, below: L) =>
  serial(named(`down.${index}`, encoderBlock({ numHeads: 4 })), fanOut({ x: unnamed(below), skip: identity() }), merge('concat'), named(`skip.${index}`, linear(dim)), named(`up.${index}`, encoderBlock({ numHeads: 4 })))

// gives: [64, 96]
export const uvit = pipe(input(64, 96), rung(0, 96, rung(1, 96, named('middle', encoderBlock({ numHeads: 4 })))))

export const uvitThatChangesTokens = pipe(
  input(64, 96),
  // says: merge(concat): skip is 64×96, but x is 63×96
  rung(0, 96, skipTokens(1)),
)

// gives: [14, 14, 96]
export const grid = pipe(input(14, 14, 96), windows({ windowSize: 7, dilated: true }, selfAttention({ numHeads: 3 })))

export const gridThatDoesNotFit = pipe(
  input(14, 15, 96),
  // says: windows: 14×15 does not divide into windows of 7×7
  // remedy: the nearest sizes that fit: 14, 21
  windows({ windowSize: 7, dilated: true }, selfAttention({ numHeads: 3 })),
)

/** A combinator of a user's own knows what the layer inside it does. */
interface Twice<F extends ShapeFunction> extends ShapeFunction {
  readonly out: Apply<F, Apply<F, this['in']>>
}
const twice = <L extends AnyLayer>(layer: L): Layer<Twice<ShapeFunctionOf<L>>> => defineLayer('twice', twice, [layer], { forward: (x, { apply }) => apply(layer, apply(layer, x)) })

// gives: [195, 192]
export const ownCombinator = pipe(input(197, 192), twice(skipTokens(1)))

export const ownCombinatorThatDoesNotFit = pipe(
  input(2, 192),
  // says: skipTokens: 1 prefix tokens leave nothing of 1 (1×192)
  twice(skipTokens(1)),
)
