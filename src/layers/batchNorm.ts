import { add, batchMean, batchSize, divide, maximum, mean, multiply, scalar, sqrt, subtract } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import { sizeOf } from '../shape/shape.js'
import { type Arguments, choice } from './core/choice.js'
import { type Context, defineLayer, type Layer } from './core/layer.js'
import { amounts, channels, firstOf } from './core/preconditions.js'
import type { KeepsChannels } from './layerNorm.js'

/** Options of {@link batchNorm}. */
export interface BatchNormConfig {
  /** Added to the variance inside the root (default 1e-5). */
  readonly epsilon?: number
  /** The share of a new batch in the running statistics (default 0.1, PyTorch's convention). */
  readonly momentum?: number
}

/**
 * Batch normalisation of each channel (Ioffe and Szegedy, 2015), then a learned scale and shift.
 * `[..., dim] → [..., dim]`. In inference it uses running statistics; in training those of the batch (biased
 * variance), and records the updated running statistics (unbiased variance, as PyTorch) as the features
 * `<path>.running_mean` and `<path>.running_var`.
 *
 * Parameters under `bn`: `weight [dim]`, `bias [dim]`; buffers `running_mean [dim]`, `running_var [dim]`.
 * Errors: `expectsChannels`, `notAnAmount`.
 *
 * @example
 * pipe(input(56, 56, 64), batchNorm()) // Model<[56, 56, 64], [56, 56, 64]>
 */
export const batchNorm = (config: BatchNormConfig = {}): Layer<KeepsChannels<'batchNorm'>> => {
  const { epsilon = 1e-5, momentum = 0.1 } = config
  return defineLayer('batchNorm', batchNorm, [config], {
    config: { epsilon, momentum },
    scope: 'bn',
    check: shape => firstOf(() => amounts('batchNorm', { epsilon, momentum }), () => channels('batchNorm', shape)),
    parameters: shape => {
      const each = [shape.at(-1) as number]
      return {
        weight: { shape: each, initialiser: { kind: 'ones' } },
        bias: { shape: each, initialiser: { kind: 'zeros' } },
        running_mean: { shape: each, initialiser: { kind: 'zeros' }, role: 'buffer' },
        running_var: { shape: each, initialiser: { kind: 'ones' }, role: 'buffer' },
      }
    },
    traits: { reach: 'element' },
    forward: (x, context) => {
      const { weight, bias } = context.parameters as Readonly<Record<string, Tensor>>
      const { average, variance } = context.mode === 'training' ? ofBatch(x, momentum, context) : { average: context.parameters['running_mean']!, variance: context.parameters['running_var']! }
      // As one scale and one shift, which depend on weights alone in inference and are computed once.
      const scale = divide(weight!, sqrt(add(variance, scalar(epsilon))))
      return add(multiply(x, scale), subtract(bias!, multiply(average, scale)))
    },
  })
}

/** What generators may give {@link batchNorm}. */
export const batchNormArguments: Arguments = [choice.options({}, { epsilon: choice.epsilon, momentum: choice.among(0.1, 0.3) })]

const ofBatch = (x: Tensor, momentum: number, { parameters, path, record }: Context): { readonly average: Tensor; readonly variance: Tensor } => {
  const axes = x.shape.slice(0, -1).map((_, axis) => axis)
  const over = (t: Tensor): Tensor => batchMean(axes.length === 0 ? t : mean(t, axes))
  const average = over(x)
  const centred = subtract(x, average)
  const variance = over(multiply(centred, centred))
  const blend = (name: string, value: Tensor): void => void record(`${path}.${name}`, add(multiply(parameters[name]!, scalar(1 - momentum)), multiply(value, scalar(momentum))))
  blend('running_mean', average)
  const count = multiply(batchSize(), scalar(sizeOf(x.shape.slice(0, -1))))
  // One value a channel has no unbiased variance; its biased one, 0, is blended in.
  blend('running_var', multiply(variance, divide(count, maximum(subtract(count, scalar(1)), scalar(1)))))
  return { average, variance }
}
