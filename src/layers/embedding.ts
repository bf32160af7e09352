import { gather } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import { type Integers, show } from '../shape/shape.js'
import { type Expects, misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { firstOf, sizes } from './core/preconditions.js'

/** Options of {@link embedding}. */
export interface EmbeddingConfig<V extends number, D extends number> {
  /** How many different ids there are. */
  readonly vocabularySize: V
  readonly dim: D
}

/** The shape function of {@link embedding}. */
export interface Embedding<D extends number> extends ShapeFunction {
  readonly out: this['in'] extends Integers<infer S> ? readonly [...S, D] : Expects<'expectsIntegers', 'embedding', this['in']>
}

/**
 * A learned vector for each whole number. `integers [tokens] → [tokens, dim]`. Ids outside
 * `[0, vocabularySize)` are refused when the model runs.
 *
 * Parameter under `embedding`: `weight [vocabularySize, dim]`. Errors: `expectsIntegers`, `notASize`.
 *
 * @example
 * pipe(integerInput(77), embedding({ vocabularySize: 49408, dim: 512 })) // Model<Integers<[77]>, [77, 512]>
 */
export const embedding = <const V extends number, const D extends number>(config: EmbeddingConfig<V, D>): Layer<Embedding<D>> => {
  const { vocabularySize, dim } = config
  return defineLayer<Embedding<D>, Tensor, Integers>('embedding', embedding, [config], {
    config: { vocabularySize, dim },
    scope: 'embedding',
    accepts: 'integers',
    check: signal => firstOf(() => sizes('embedding', { vocabularySize, dim }), () => (signal.integers === undefined ? misfit('expectsIntegers', { layer: 'embedding', shape: show(signal) }) : undefined)),
    parameters: () => ({ weight: { shape: [vocabularySize, dim], initialiser: { kind: 'normal', std: 0.02 } } }),
    forward: (x, { parameters }) => gather(parameters['weight']!, x),
  })
}

/** What generators may give {@link embedding}. */
export const embeddingArguments: Arguments = [choice.options({ vocabularySize: choice.whole(7, 11), dim: choice.size })]
