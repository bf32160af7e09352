import { divide, exp, linear, maximum, multiply, reshape, scalar, sqrt, sum } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { amounts, channels, firstOf, sizes } from './core/preconditions.js'
import type { Linear } from './linear.js'

/** Options of {@link cosineHead}. */
export interface CosineHeadConfig {
  /** What cosines are multiplied by at first (default 1/0.07, as CLIP). */
  readonly initialScale?: number
}

/**
 * Class scores that are cosines with a vector for each class, times a learned scale. With the features of texts as its
 * vectors it is CLIP's zero-shot classifier (Radford et al., 2021, section 3.1). `[..., in] → [..., numClasses]`.
 *
 * Parameters under `head`: `weight [numClasses, in]`, of which only directions count, and `logit_scale`, one number, the
 * scale's logarithm. Errors: `expectsChannels`, `notASize`, `notAnAmount`.
 *
 * @example
 * pipe(input(512), cosineHead(1000)) // Model<[512], [1000]>
 */
export const cosineHead = <const D extends number>(numClasses: D, config: CosineHeadConfig = {}): Layer<Linear<D>> => {
  const { initialScale = 1 / 0.07 } = config
  return defineLayer('cosineHead', cosineHead, [numClasses, config], {
    // Its shape rule is that of a linear map, and so is its sentence.
    label: 'linear',
    config: { numClasses, initialScale },
    scope: 'head',
    check: shape => firstOf(() => sizes('linear', { numClasses }), () => amounts('linear', { initialScale }), () => channels('linear', shape)),
    parameters: shape => ({
      weight: { shape: [numClasses, shape.at(-1) as number], initialiser: { kind: 'truncatedNormal', std: 0.02 } },
      logit_scale: { shape: [], initialiser: { kind: 'constant', value: Math.log(initialScale) } },
    }),
    traits: { reach: 'place' },
    // Directions come of one reading of the weight, which so has one reader as everywhere.
    forward: (x, { parameters }) => multiply(linear(unit(x), unit(reshape(parameters['weight']!, [numClasses, x.shape.at(-1)!]))), exp(parameters['logit_scale']!)),
  })
}

/** What generators may give {@link cosineHead}. */
export const cosineHeadArguments: Arguments = [choice.size, choice.options({}, { initialScale: choice.among(1, 10) })]

/** Vectors of length 1, and zeros where there is no direction. */
const unit = (x: Tensor): Tensor => divide(x, sqrt(maximum(sum(multiply(x, x), [x.shape.length - 1], true), scalar(1e-24))))
