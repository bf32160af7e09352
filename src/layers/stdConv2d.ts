import { layerNorm as standardise, reshape } from '../ops/ops.js'
import { conv2d, type Conv2d, type Conv2dConfig } from './conv2d.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import type { Padding } from './core/padding.js'

/** Options of {@link stdConv2d}: those of `conv2d`, whose `bias` is false here unless given. */
export interface StdConv2dConfig<D extends number, K extends number, S extends number, P extends Padding> extends Conv2dConfig<D, K, S, P> {
  /** Added to the variance of a filter inside the root (default 1e-6; 1e-8 in timm's hybrid ViTs). */
  readonly epsilon?: number
}

/**
 * A 2-D convolution by standardised weights (Qiao et al., 2019, section 3.1): every filter is brought to zero
 * mean and unit (biased) variance before use. Costs nothing at run time: it is done when weights load.
 * `[height, width, in] → [rows, columns, dim]`, as `conv2d`.
 *
 * Parameters under `conv`: `weight [dim, in/groups, kernelSize, kernelSize]`; with `bias`, `bias [dim]`.
 * Errors: those of `conv2d`.
 *
 * @example
 * pipe(input(224, 224, 3), stdConv2d({ dim: 64, kernelSize: 7, stride: 2, padding: 'same' })) // Model<[224, 224, 3], [112, 112, 64]>
 */
export const stdConv2d = <const D extends number, const K extends number, const S extends number = 1, const P extends Padding = 0>(config: StdConv2dConfig<D, K, S, P>): Layer<Conv2d<D, K, S, P>> => {
  const { epsilon = 1e-6, bias = false, ...rest } = config
  const convolution = conv2d({ ...rest, bias }).definition
  return defineLayer('stdConv2d', stdConv2d, [config], {
    config: { ...convolution.config, epsilon },
    scope: 'conv',
    check: shape => convolution.check(shape as never),
    parameters: shape => convolution.parameters(shape as never),
    forward: (x, context) => {
      const weight = context.parameters['weight']!
      const [dim, ...filter] = weight.shape as readonly [number, ...number[]]
      const standardised = reshape(standardise(reshape(weight, [dim, filter.reduce((n, size) => n * size, 1)]), epsilon), weight.shape)
      return convolution.forward(x as never, { ...context, parameters: { ...context.parameters, weight: standardised } })
    },
  })
}

/** What generators may give {@link stdConv2d}. */
export const stdConv2dArguments: Arguments = [choice.options({ dim: choice.size, kernelSize: choice.whole(1, 3) }, { stride: choice.whole(1, 3), padding: choice.padding, groups: choice.divisorOf('channels'), bias: choice.flag, epsilon: choice.epsilon })]
