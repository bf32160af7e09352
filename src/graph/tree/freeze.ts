import { right, type Either } from 'fp-ts/lib/Either.js'
import type { Statistics } from '../../layers/core/freezing.js'
import { model, type AnyModel, type Model } from '../../layers/core/model.js'
import { patternList, type Patterns } from '../../layers/core/pathPattern.js'
import { frozen } from '../../layers/frozen.js'
import type { Problem } from '../../shape/problem.js'
import { trace } from '../trace.js'
import { asOne } from './asOne.js'

/** Options of {@link freeze}. */
export interface FreezeOptions {
  /**
   * What becomes of running statistics of batch norms that are frozen: `update` (the default, as PyTorch does for
   * parameters that need no gradient) or `keep`: they run as in inference.
   */
  readonly statistics?: Statistics
}

/**
 * A model some of whose parameters stay as they are in training: they get the role `frozen`, keep their names, are
 * counted as parameters, and cost no gradient. A pattern means a parameter (`pos_embed`) or all that is inside a layer
 * (`patch_embed`, `blocks.{0..5}`); `**` is everything. What comes out of the model is the same.
 *
 * Errors: those of `trace`; `badPattern`; `unknownPath`, with a path that is near.
 *
 * @example
 * freeze(vitTiny, ['patch_embed', 'blocks.{0..5}']) // Either<Problem, Model<[224, 224, 3], [1000]>>
 */
export const freeze = <I, S>(m: Model<I, S>, patterns: Patterns, { statistics = 'update' }: FreezeOptions = {}): Either<Problem, Model<I, S>> => within(m, patternList(patterns), statistics)

/**
 * Takes back that parameters are frozen. Those that a layer itself declares as frozen (fixed tables) stay so.
 *
 * Errors: as `freeze`.
 *
 * @example
 * unfreeze(vitTiny, 'linear') // Either<Problem, Model<[224, 224, 3], [1000]>>
 */
export const unfreeze = <I, S>(m: Model<I, S>, patterns: Patterns): Either<Problem, Model<I, S>> => within(m, patternList(patterns).map(pattern => `!${pattern}`), 'update')

const within = <I, S>(m: Model<I, S>, paths: readonly string[], statistics: Statistics): Either<Problem, Model<I, S>> => {
  const made = model<I, S>(m.input, [frozen({ paths: paths.join(' '), ...(statistics === 'update' ? {} : { statistics }) }, asOne(m))])
  const traced = trace(made as AnyModel)
  return traced._tag === 'Left' ? traced : right(made)
}
