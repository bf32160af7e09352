import { averagePool as pool } from '../ops/ops.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { type Padding, paddingSides } from './core/padding.js'
import { type Pool, type PoolConfig, pools } from './core/pooling.js'

/** Options of {@link averagePool}. */
export interface AveragePoolConfig<K extends number, S extends number, P extends Padding> extends PoolConfig<K, S, P> {
  /** Whether padding counts as zeros (default true, as in PyTorch) or is left out of the mean (as in TensorFlow). */
  readonly countPadding?: boolean
}

/**
 * The mean of every window, channel by channel. `[height, width, channels] → [rows, columns, channels]`, with
 * `rows = ⌊(height + 2·padding − size) / stride⌋ + 1`, or `⌈height / stride⌉` with padding `same`, and columns
 * likewise.
 *
 * Errors: `expectsImage`, `windowDoesNotFit`, `notAPadding`.
 *
 * @example
 * pipe(input(56, 56, 256), averagePool({ size: 2 })) // Model<[56, 56, 256], [28, 28, 256]>
 */
export const averagePool = <const K extends number, const S extends number = K, const P extends Padding = 0>(config: AveragePoolConfig<K, S, P>): Layer<Pool<'averagePool', K, S, P>> => {
  const { size, stride = size, padding = 0, countPadding = true } = config
  return defineLayer('averagePool', averagePool, [config], {
    config: { size, stride, padding, countPadding },
    scope: 'pool',
    check: shape => pools('averagePool', shape, size, stride, padding),
    traits: { reach: 'channel' },
    forward: x => {
      const sides = (axis: 0 | 1): readonly [number, number] => paddingSides(x.shape[axis] as number, size, stride, padding)
      return pool(x, { size: [size, size], strides: [stride, stride], padding: [sides(0), sides(1)], countPadding })
    },
  })
}

/** What generators may give {@link averagePool}. */
export const averagePoolArguments: Arguments = [choice.options({ size: choice.whole(1, 3) }, { stride: choice.whole(1, 3), padding: choice.padding, countPadding: choice.flag })]
