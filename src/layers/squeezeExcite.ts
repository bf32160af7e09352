import { conv2d, mean, multiply, sigmoid } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import { problem } from '../shape/problem.js'
import type { Expects } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Activation, activationNames, activations } from './core/activation.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { firstOf, image, oneOf, sizes } from './core/preconditions.js'

/** Options of {@link squeezeExcite}. */
export interface SqueezeExciteConfig {
  /** Channels between the two maps, as a part of the channels (default 1/16, as the paper); rounded down. */
  readonly ratio?: number
  /** Channels between the two maps outright; overrides `ratio`. */
  readonly hiddenDim?: number
  /** Between the two maps (default `relu`, as the paper). */
  readonly activation?: Activation
}

/** The shape function of {@link squeezeExcite}. */
export interface SqueezeExcite extends ShapeFunction {
  readonly out: this['in'] extends readonly [number, number, number] ? this['in'] : Expects<'expectsImage', 'squeezeExcite', this['in']>
}

const pointwise = { strides: [1, 1], padding: [[0, 0], [0, 0]], groups: 1 } as const

/**
 * Scales each channel by a gate that sees the mean of all channels (Hu et al., 2017, "Squeeze-and-Excitation
 * Networks", section 3). `[height, width, dim] → [height, width, dim]`.
 *
 * Parameters under `se`, convolutions of one pixel as the published ones are: `fc1.weight [hidden, dim, 1, 1]`,
 * `fc1.bias`, `fc2.weight [dim, hidden, 1, 1]`, `fc2.bias`. Errors: `expectsImage`, `notARatio`, `notASize`, `unknownOption`.
 *
 * @example
 * pipe(input(56, 56, 384), squeezeExcite({ ratio: 1 / 16 })) // Model<[56, 56, 384], [56, 56, 384]>
 */
export const squeezeExcite = (config: SqueezeExciteConfig = {}): Layer<SqueezeExcite> => {
  const { ratio = 1 / 16, hiddenDim, activation = 'relu' } = config
  const hidden = (dim: number): number => hiddenDim ?? Math.floor(dim * ratio)
  return defineLayer('squeezeExcite', squeezeExcite, [config], {
    config: { ratio, hiddenDim, activation },
    scope: 'se',
    check: shape =>
      firstOf(
        () => image('squeezeExcite', shape),
        () => oneOf('squeezeExcite', 'activation', activation, activationNames),
        () => (ratio > 0 && Number.isFinite(ratio) ? undefined : problem('notARatio', `squeezeExcite: ratio must be a number above 0, got ${String(ratio)}`)),
        () => sizes('squeezeExcite', { 'the number of hidden channels': hidden(shape[2] as number) }),
      ),
    parameters: shape => {
      const dim = shape[2] as number
      return {
        'fc1.weight': { shape: [hidden(dim), dim, 1, 1], initialiser: { kind: 'heUniform' } },
        'fc1.bias': { shape: [hidden(dim)], initialiser: { kind: 'zeros' } },
        'fc2.weight': { shape: [dim, hidden(dim), 1, 1], initialiser: { kind: 'heUniform' } },
        'fc2.bias': { shape: [dim], initialiser: { kind: 'zeros' } },
      }
    },
    forward: (x, { parameters }) => {
      const project = (t: Tensor, name: string): Tensor => conv2d(t, parameters[`${name}.weight`]!, parameters[`${name}.bias`], pointwise)
      const excited = activations[activation](project(mean(x, [0, 1], true), 'fc1'))
      return multiply(x, sigmoid(project(excited, 'fc2')))
    },
  })
}

/** What generators may give {@link squeezeExcite}. */
export const squeezeExciteArguments: Arguments = [choice.options({}, { ratio: choice.among(0.25, 0.5, 1), hiddenDim: choice.whole(1, 4), activation: choice.among(...activationNames) })]
