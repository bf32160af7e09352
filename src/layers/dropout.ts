import { dropMask, multiply } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import type { Shape } from '../shape/shape.js'
import { type Arguments, choice } from './core/choice.js'
import type { KeepsShape } from './core/elementwise.js'
import { type Context, defineLayer, type Layer } from './core/layer.js'
import { rates } from './core/preconditions.js'

/** `x` with parts of it dropped in training: `mask` says which axes share one draw (size 1) and which do not. */
export const drop = (x: Tensor, rate: number, mask: Shape, { mode, path }: Context, stream = ''): Tensor =>
  mode === 'inference' || rate === 0 ? x : multiply(x, dropMask(stream === '' ? path : `${path}.${stream}`, 1 - rate, mask))

/**
 * Drops single elements in training and scales the rest by `1/(1 − rate)` (Srivastava et al., 2014).
 * `[...] → [...]`. In inference it does nothing. Errors: `expectsTensor`, `notARate`.
 *
 * @example
 * pipe(input(197, 192), dropout(0.1)) // Model<[197, 192], [197, 192]>
 */
export const dropout = (rate: number): Layer<KeepsShape<'dropout'>> =>
  defineLayer('dropout', dropout, [rate], { config: { rate }, scope: 'drop', check: () => rates('dropout', { rate }), traits: { reach: 'element', drops: 'element' }, forward: (x, context) => drop(x, rate, x.shape, context) })

/** What generators may give {@link dropout}. */
export const dropoutArguments: Arguments = [choice.rate]
