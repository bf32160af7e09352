import { batchNorm } from '../batchNorm.js'
import { layerNorm, type KeepsChannels } from '../layerNorm.js'
import type { Layer } from './layer.js'

/** The norms a block of a feature map may have; both normalise channels, one over the batch and one place by place. */
export type NormKind = 'batchNorm' | 'layerNorm'

/** The names a `norm` option may have. */
export const normKinds = ['batchNorm', 'layerNorm'] as const satisfies readonly NormKind[]

/** The norm of a name. */
export const normOf = (kind: NormKind, epsilon: number): Layer<KeepsChannels<'norm'>> =>
  (kind === 'batchNorm' ? batchNorm({ epsilon }) : layerNorm({ epsilon })) as unknown as Layer<KeepsChannels<'norm'>>
