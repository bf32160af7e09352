import type { Signal, Tensor } from '../ops/tensor.js'
import { type Activation, activationNames, activations } from './core/activation.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { channels, firstOf, oneOf, rates, sizes } from './core/preconditions.js'
import { dropout } from './dropout.js'
import type { KeepsChannels } from './layerNorm.js'
import { linear } from './linear.js'

/** Options of {@link mlp}. */
export interface MlpConfig {
  /** Hidden channels as a multiple of the channels (default 4); rounded down. */
  readonly mlpRatio?: number
  /** Hidden channels outright; overrides `mlpRatio`. */
  readonly hiddenDim?: number
  readonly activation?: Activation
  /** Whether the two maps have biases (default true). */
  readonly bias?: boolean
  /** Rate at which hidden and output elements are dropped in training (default 0). */
  readonly dropout?: number
}

/**
 * Two linear maps with an activation between (Vaswani et al., 2017, section 3.3). `[..., dim] → [..., dim]`.
 *
 * Parameters under `mlp`: `fc1.weight [hidden, dim]`, `fc1.bias`, `fc2.weight [dim, hidden]`, `fc2.bias`.
 * Errors: `expectsChannels`, `notASize`, `notARate`, `unknownOption`.
 *
 * @example
 * pipe(input(197, 192), mlp({ mlpRatio: 4 })) // Model<[197, 192], [197, 192]>
 */
export const mlp = (config: MlpConfig = {}): Layer<KeepsChannels<'mlp'>> => {
  const { mlpRatio = 4, hiddenDim, activation = 'gelu', bias = true, dropout: rate = 0 } = config
  const hidden = (dim: number): number => hiddenDim ?? Math.floor(dim * mlpRatio)
  return defineLayer('mlp', mlp, [config], {
    config: { mlpRatio, hiddenDim, activation, bias, dropout: rate },
    scope: 'mlp',
    check: shape =>
      firstOf(
        () => channels('mlp', shape),
        () => oneOf('mlp', 'activation', activation, activationNames),
        () => rates('mlp', { dropout: rate }),
        () => sizes('mlp', { 'the number of hidden channels': hidden(shape.at(-1) as number) }),
      ),
    traits: { reach: 'place' },
    forward: (x, { apply }) => {
      const dim = x.shape.at(-1) as number
      const inner = activations[activation](apply(linear(hidden(dim), { bias }), x, 'fc1') as Tensor)
      const dropped = (x: Signal, scope: string): Signal => (rate === 0 ? x : apply(dropout(rate), x, scope))
      return dropped(apply(linear(dim, { bias }), dropped(inner, 'drop1'), 'fc2'), 'drop2')
    },
  })
}

/** What generators may give {@link mlp}. */
export const mlpArguments: Arguments = [choice.options({}, { mlpRatio: choice.among(0.5, 1, 2), hiddenDim: choice.whole(1, 9), activation: choice.among(...activationNames), bias: choice.flag, dropout: choice.rate })]
