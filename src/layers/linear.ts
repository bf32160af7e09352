import { add, linear as project, matmul, reshape } from '../ops/ops.js'
import { sizeOf } from '../shape/shape.js'
import type { Expects } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { channels, firstOf, sizes } from './core/preconditions.js'

/** Options of {@link linear}. */
export interface LinearConfig {
  /** Whether there is a bias (default true). */
  readonly bias?: boolean
  /** Whether it is a product of two matrices like any other, and counted as such, rather than a map of one kind (default false): T2T-ViT's last projection is. */
  readonly asProduct?: boolean
}

/** The shape function of {@link linear}. */
export interface Linear<D extends number> extends ShapeFunction {
  readonly out: this['in'] extends readonly [...infer Rest extends readonly number[], number]
    ? readonly [...Rest, D]
    : Expects<'expectsChannels', 'linear', this['in']>
}

/**
 * A learned linear map of the channels. `[..., in] → [..., dim]`.
 *
 * Parameters: `weight [dim, in]`, `bias [dim]`, under `linear`. Errors: `expectsChannels`, `notASize`.
 *
 * @example
 * pipe(input(192), linear(1000)) // Model<[192], [1000]>
 */
export const linear = <const D extends number>(dim: D, config: LinearConfig = {}): Layer<Linear<D>> => {
  const { bias = true, asProduct } = config
  return defineLayer('linear', linear, [dim, config], {
    config: { dim, bias, asProduct },
    scope: 'linear',
    check: shape => firstOf(() => sizes('linear', { dim }), () => channels('linear', shape)),
    parameters: shape => ({
      weight: { shape: [dim, shape.at(-1) as number], initialiser: { kind: 'truncatedNormal', std: 0.02 } },
      ...(bias ? { bias: { shape: [dim], initialiser: { kind: 'zeros' } } as const } : {}),
    }),
    traits: { reach: 'place' },
    forward: (x, { parameters }) => {
      const [weight, shift] = [parameters['weight']!, parameters['bias']]
      if (asProduct !== true) return project(x, weight, shift)
      const product = matmul(reshape(x, [sizeOf(x.shape.slice(0, -1)), x.shape.at(-1)!]), weight, { transposeB: true })
      return reshape(shift === undefined ? product : add(product, shift), [...x.shape.slice(0, -1), dim])
    },
  })
}

/** What generators may give {@link linear}. */
export const linearArguments: Arguments = [choice.size, choice.options({}, { bias: choice.flag, asProduct: choice.flag })]
