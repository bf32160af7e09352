import { pipe } from 'fp-ts/lib/function.js'
import { defineLayer, flattenTokens, input, linear, named, ops, patchEmbed, repeat, type Layer, type Multiply, type ShapeFunction } from 'vitrail'

/** A layer of a user's own: the channels of the tokens, `times` over. */
interface Widen<T extends number> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer N extends number, infer C extends number] ? readonly [N, Multiply<C, T>] : never
}
const widen = <const T extends number>(times: T): Layer<Widen<T>> =>
  defineLayer('widen', widen, [times], { forward: x => ops.concat(Array.from({ length: times }, () => x), 1) })

// gives: [196, 576]
export const widened = pipe(input(196, 192), widen(3))

// gives: [4, 10]
export const inside = pipe(input(16, 16, 3), patchEmbed({ patchSize: 8, dim: 6 }), flattenTokens(), named('wide', widen(2)), linear(10))

export const inBlocks = pipe(
  input(196, 192),
  // says: repeat: the block turns 196×192 into 196×384, so it cannot follow itself
  repeat(2, widen(2)),
)
