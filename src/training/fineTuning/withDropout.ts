import { chain, right, type Either } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import type { AnyModel, Model } from '../../layers/core/model.js'
import type { Patterns } from '../../layers/core/pathPattern.js'
import type { Problem } from '../../shape/problem.js'
import { changeOption, type TrainingOption } from './changeOption.js'

/** Options of {@link withDropout}: rates that act in training. */
export interface WithDropoutOptions {
  /** Of elements: `dropout` layers, and what attention and MLPs give. */
  readonly dropout?: number
  /** Of attention weights. */
  readonly attentionDropout?: number
  /** Where: patterns of paths, with all that is inside (default: everywhere). */
  readonly in?: Patterns
}

/**
 * A model with other rates of dropout (Srivastava et al., 2014), in `dropout` layers and in the options of the layers
 * that have them. What is not given stays as it is.
 *
 * Errors: those of `trace`; `notARate`; `nothingToChange`; `badPattern`, `unknownPath`.
 *
 * @example
 * withDropout(vitTiny, { dropout: 0.1, in: 'blocks.{6..11}' }) // Either<Problem, Model<[224, 224, 3], [1000]>>
 */
export const withDropout = <I, S>(m: Model<I, S>, { dropout, attentionDropout, in: where }: WithDropoutOptions): Either<Problem, Model<I, S>> => {
  const set = (options: readonly TrainingOption[], rate: number | undefined) => (before: AnyModel): Either<Problem, AnyModel> =>
    rate === undefined ? right(before) : changeOption(before, options, () => () => rate, 'withDropout', where)
  return pipe(m as AnyModel, set(['dropout', 'projDropout'], dropout), chain(set(['attentionDropout'], attentionDropout))) as Either<Problem, Model<I, S>>
}
