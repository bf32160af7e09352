import { pipe } from 'fp-ts/lib/function.js'
import {
  classToken, encoderBlock, expectShape, flattenTokens, globalPool, input, layerNorm, linear, mlp, named, patchEmbed, positionEmbed, repeat, residual, selfAttention, serial, takeToken, when,
} from 'vitrail'

interface Config {
  readonly patchSize: number
  readonly dim: number
  readonly depth: number
  readonly numHeads: number
  readonly numClasses: number
}

/** A recipe function of one's own: nothing in it knows its sizes. */
const vit = <const C extends Config>(config: C) =>
  serial(
    patchEmbed({ patchSize: config.patchSize as C['patchSize'], dim: config.dim as C['dim'] }),
    flattenTokens(),
    classToken(),
    positionEmbed(),
    repeat(config.depth, encoderBlock({ numHeads: config.numHeads as C['numHeads'] })),
    layerNorm(),
    takeToken(0),
    linear(config.numClasses as C['numClasses']),
  )

/** A block of one's own, of separate type parameters. */
const block = <const H extends number, const D extends number>(numHeads: H, dim: D) =>
  serial(residual(serial(layerNorm(), named('attn', selfAttention({ numHeads })))), residual(serial(layerNorm(), mlp(), linear(dim))))

/** A choice of one's own. */
const pooled = <const P extends boolean>(average: P) => serial(when(average, globalPool()), when(average, linear(10)))

// gives: [1000]
export const tiny = pipe(input(224, 224, 3), vit({ patchSize: 16, dim: 192, depth: 12, numHeads: 3, numClasses: 1000 }))

// gives: [10]
export const oblong = pipe(input(32, 64, 1), vit({ patchSize: 8, dim: 48, depth: 2, numHeads: 4, numClasses: 10 }))

export const wrongHeads = pipe(
  input(224, 224, 3),
  // says: attention: 192 channels do not split into 5 heads (197×192)
  // at: blocks.0 › attention
  vit({ patchSize: 16, dim: 192, depth: 12, numHeads: 5, numClasses: 1000 }),
)

export const wrongImage = pipe(
  input(230, 224, 3),
  // says: patchEmbed: 230×224 does not divide into 16×16 patches with stride 16×16
  // remedy: the nearest sizes that fit: 224, 240
  vit({ patchSize: 16, dim: 192, depth: 12, numHeads: 3, numClasses: 1000 }),
)

export const wrongImageUnderAName = pipe(
  input(230, 224, 3),
  // says: patchEmbed: 230×224 does not divide into 16×16 patches with stride 16×16
  // at: backbone › patchEmbed
  // remedy: the nearest sizes that fit: 224, 240
  named('backbone', vit({ patchSize: 16, dim: 192, depth: 12, numHeads: 3, numClasses: 1000 })),
)

// gives: [197, 192]
export const ownBlocks = pipe(input(197, 192), repeat(12, block(3, 192)))

export const ownBlocksOfAnotherWidth = pipe(
  input(197, 192),
  // says: residual: the branch turns 197×192 into 197×384, which cannot be added to its input
  // at: blocks.0 › residual
  repeat(12, block(3, 384)),
)

export const ownBlocksOfOtherHeads = pipe(
  input(197, 192),
  // says: attention: 192 channels do not split into 9 heads (197×192)
  // at: blocks.0.attn › attention
  repeat(12, block(9, 192)),
)

// gives: [10]
export const averaged = pipe(input(197, 192), pooled(true), expectShape(10))

// gives: [197, 192]
export const left = pipe(input(197, 192), pooled(false))

/** Blocks written by hand in one array's order, as many do. */
const a = encoderBlock({ numHeads: 3 })
// gives: [197, 192]
export const shared = pipe(input(197, 192), a, a, serial(a, a))
