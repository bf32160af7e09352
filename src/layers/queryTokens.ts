import { constant, reshape } from '../ops/ops.js'
import type { Expects } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { firstOf, oneOf, sizes, tokens } from './core/preconditions.js'

/** Options of {@link queryTokens}. */
export interface QueryTokensConfig<K extends QueryKind> {
  /** `tokens`: the queries begin as what is learned; `positions`: they begin as zeros, and what is learned marks them in every attention, as in DETR (default `tokens`). */
  readonly kind?: K
}
/** What of queries is learned. */
export type QueryKind = 'tokens' | 'positions'

/** The shape function of {@link queryTokens}. */
export interface QueryTokens<N extends number, K extends QueryKind> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer T extends number, infer C extends number]
    ? [K] extends ['positions'] ? { readonly x: readonly [N, C]; readonly memory: readonly [T, C]; readonly positions: readonly [N, C] } : { readonly x: readonly [N, C]; readonly memory: readonly [T, C] }
    : Expects<'expectsTokens', 'queryTokens', this['in']>
}

/**
 * Learned queries beside the tokens that they are to attend to (Carion et al., 2020, "DETR", section 3.2): what a
 * `decoderBlock` takes. `[tokens, dim] → { x: [count, dim], memory: [tokens, dim] }`; with `positions`, a field
 * `positions [count, dim]` too.
 *
 * Parameter: `query_embed.weight [count, dim]`, as DETR's. Errors: `expectsTokens`, `notASize`, `unknownOption`.
 *
 * @example
 * pipe(input(196, 256), queryTokens(100), repeat(6, decoderBlock({ numHeads: 8 })), field('x')) // Model<[196, 256], [100, 256]>
 */
export const queryTokens = <const N extends number, const K extends QueryKind = 'tokens'>(count: N, config: QueryTokensConfig<K> = {}): Layer<QueryTokens<N, K>> => {
  const { kind = 'tokens' } = config
  return defineLayer('queryTokens', queryTokens, [count, config], {
    config: { count, kind },
    check: shape => firstOf(() => sizes('queryTokens', { count }), () => oneOf('queryTokens', 'kind', kind, ['tokens', 'positions']), () => tokens('queryTokens', shape)),
    // Positions are added to what is normalised: small ones would leave all queries alike. PyTorch's embedding begins so too.
    parameters: shape => ({ 'query_embed.weight': { shape: [count, shape[1]!], initialiser: kind === 'tokens' ? { kind: 'truncatedNormal', std: 0.02 } : { kind: 'normal', std: 1 } } }),
    forward: (x, { parameters }) => {
      const learned = reshape(parameters['query_embed.weight']!, [count, x.shape[1]!])
      return kind === 'tokens' ? { x: learned, memory: x } : { x: constant(new Float32Array(count * x.shape[1]!), learned.shape), memory: x, positions: learned }
    },
  })
}

/** What generators may give {@link queryTokens}; of queries that are zeros, the first attention among them has nothing to mix, so that its weights do not matter. */
export const queryTokensArguments: Arguments = [choice.whole(1, 3)]
