import { add, divide, mean, multiply, scalar, sqrt } from '../ops/ops.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { amounts, channels, firstOf } from './core/preconditions.js'
import type { KeepsChannels, NormConfig } from './layerNorm.js'

/**
 * Root-mean-square normalisation over the channels (Zhang and Sennrich, 2019, equation 4): no mean is
 * taken off and there is no shift. `[..., dim] → [..., dim]`.
 *
 * Parameter: `weight [dim]`, under `norm`. Errors: `expectsChannels`, `notAnAmount`.
 *
 * @example
 * pipe(input(197, 192), rmsNorm()) // Model<[197, 192], [197, 192]>
 */
export const rmsNorm = (config: NormConfig = {}): Layer<KeepsChannels<'rmsNorm'>> => {
  const { epsilon = 1e-6, affine = true } = config
  return defineLayer('rmsNorm', rmsNorm, [config], {
    config: { epsilon, affine },
    scope: 'norm',
    check: shape => firstOf(() => amounts('rmsNorm', { epsilon }), () => channels('rmsNorm', shape)),
    parameters: shape => (affine ? { weight: { shape: [shape.at(-1) as number], initialiser: { kind: 'ones' } } } : {}),
    traits: { reach: 'place' },
    forward: (x, { parameters }) => {
      const square = mean(multiply(x, x), [x.shape.length - 1], true)
      const normalised = divide(x, sqrt(add(square, scalar(epsilon))))
      return affine ? multiply(normalised, parameters['weight']!) : normalised
    },
  })
}

/** What generators may give {@link rmsNorm}. */
export const rmsNormArguments: Arguments = [choice.options({}, { epsilon: choice.epsilon, affine: choice.flag })]
