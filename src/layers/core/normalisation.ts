import { batchNorm } from '../batchNorm.js'
import type { Tensor } from '../../ops/tensor.js'
import { layerNorm, type KeepsChannels } from '../layerNorm.js'
import { type Activation, activations } from './activation.js'
import { type AnyLayer, type Context, defineLayer, type Layer } from './layer.js'

/** The norms a block of a feature map may have; both normalise channels, one over the batch and one place by place. */
export type NormKind = 'batchNorm' | 'layerNorm'

/** The names a `norm` option may have. */
export const normKinds = ['batchNorm', 'layerNorm'] as const satisfies readonly NormKind[]

/** The norm of a name. */
export const normOf = (kind: NormKind, epsilon: number): Layer<KeepsChannels<'norm'>> =>
  (kind === 'batchNorm' ? batchNorm({ epsilon }) : layerNorm({ epsilon })) as unknown as Layer<KeepsChannels<'norm'>>

/** A norm and the activation that timm counts to it: one layer, so that its output is found under the norm's name. */
export const normActivation = (kind: NormKind, epsilon: number, activation: Activation): AnyLayer => {
  const { label, config, scope, check, parameters, forward, traits } = normOf(kind, epsilon).definition
  return defineLayer('normActivation', normActivation, [kind, epsilon, activation], {
    label,
    config: { ...config, activation },
    scope,
    check: shape => check(shape as never),
    parameters: shape => parameters(shape as never),
    traits,
    forward: (x, context: Context) => activations[activation](forward(x as never, context) as Tensor),
  })
}
