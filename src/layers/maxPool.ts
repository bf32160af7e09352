import { maxPool as pool } from '../ops/ops.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { type Padding, paddingSides } from './core/padding.js'
import { type Pool, type PoolConfig, pools } from './core/pooling.js'

/**
 * The largest element of every window, channel by channel; padding counts as −∞.
 * `[height, width, channels] → [rows, columns, channels]`, with `rows = ⌊(height + 2·padding − size) / stride⌋ + 1`,
 * or `⌈height / stride⌉` with padding `same`, and columns likewise.
 *
 * Errors: `expectsImage`, `windowDoesNotFit`, `notAPadding`.
 *
 * @example
 * pipe(input(112, 112, 64), maxPool({ size: 3, stride: 2, padding: 'same' })) // Model<[112, 112, 64], [56, 56, 64]>
 */
export const maxPool = <const K extends number, const S extends number = K, const P extends Padding = 0>(config: PoolConfig<K, S, P>): Layer<Pool<'maxPool', K, S, P>> => {
  const { size, stride = size, padding = 0 } = config
  return defineLayer('maxPool', maxPool, [config], {
    config: { size, stride, padding },
    scope: 'pool',
    check: shape => pools('maxPool', shape, size, stride, padding),
    traits: { reach: 'channel' },
    forward: x => {
      const sides = (axis: 0 | 1): readonly [number, number] => paddingSides(x.shape[axis] as number, size, stride, padding)
      return pool(x, { size: [size, size], strides: [stride, stride], padding: [sides(0), sides(1)] })
    },
  })
}

/** What generators may give {@link maxPool}. */
export const maxPoolArguments: Arguments = [choice.options({ size: choice.whole(1, 3) }, { stride: choice.whole(1, 3), padding: choice.padding })]
