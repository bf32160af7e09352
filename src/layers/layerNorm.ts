import { layerNorm as normalise } from '../ops/ops.js'
import type { Expects } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { amounts, channels, firstOf } from './core/preconditions.js'

/** Options of {@link layerNorm} and {@link rmsNorm}. */
export interface NormConfig {
  /** Added to the variance inside the root (default 1e-6, as ViT; PyTorch's own default is 1e-5). */
  readonly epsilon?: number
  /** Whether there are a learned scale and shift (default true). */
  readonly affine?: boolean
}

/** Keeps any shape that has a channel axis. */
export interface KeepsChannels<Name extends string> extends ShapeFunction {
  readonly out: this['in'] extends readonly [unknown, ...unknown[]] | readonly number[]
    ? this['in'] extends readonly [] ? Expects<'expectsChannels', Name, this['in']> : this['in']
    : Expects<'expectsChannels', Name, this['in']>
}

/**
 * Layer normalisation over the channels (Ba et al., 2016): zero mean and unit (biased) variance, then a
 * learned scale and shift. `[..., dim] → [..., dim]`.
 *
 * Parameters: `weight [dim]`, `bias [dim]`, under `norm`. Errors: `expectsChannels`, `notAnAmount`.
 *
 * @example
 * pipe(input(197, 192), layerNorm()) // Model<[197, 192], [197, 192]>
 */
export const layerNorm = (config: NormConfig = {}): Layer<KeepsChannels<'layerNorm'>> => {
  const { epsilon = 1e-6, affine = true } = config
  return defineLayer('layerNorm', layerNorm, [config], {
    config: { epsilon, affine },
    scope: 'norm',
    check: shape => firstOf(() => amounts('layerNorm', { epsilon }), () => channels('layerNorm', shape)),
    parameters: shape =>
      affine
        ? { weight: { shape: [shape.at(-1) as number], initialiser: { kind: 'ones' } }, bias: { shape: [shape.at(-1) as number], initialiser: { kind: 'zeros' } } }
        : {},
    traits: { reach: 'place' },
    forward: (x, { parameters }) => normalise(x, epsilon, affine ? { gamma: parameters['weight']!, beta: parameters['bias']! } : undefined),
  })
}

/** What generators may give {@link layerNorm}. */
export const layerNormArguments: Arguments = [choice.options({}, { epsilon: choice.epsilon, affine: choice.flag })]
