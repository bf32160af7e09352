import type { Either } from 'fp-ts/lib/Either.js'
import type { Place } from '../../graph/tree/places.js'
import type { AnyModel, Model } from '../../layers/core/model.js'
import { dropPath } from '../../layers/dropPath.js'
import { named } from '../../layers/named.js'
import type { Problem } from '../../shape/problem.js'
import { linearDropPath } from '../linearDropPath.js'
import { blocksOf } from './blocksOf.js'
import { changeOption } from './changeOption.js'
import { inBranches } from './inBranches.js'

/**
 * A model whose residual branches are dropped in training by the linear rule (Huang et al., 2016, section 3): never in
 * the first block, at `rate` in the last, counted over all blocks of all stages. It changes the `dropPath` of blocks
 * that have it as an option (`encoderBlock`, `mbConv`, `transformerBlock2d`) and `dropPath` layers; where there are
 * none, it puts some at the end of every `residual` branch, as `drop_path1`, `drop_path2`.
 *
 * Errors: those of `trace`; `notARate`; `nothingToChange`.
 *
 * @example
 * withStochasticDepth(vitTiny, 0.1) // Either<Problem, Model<[224, 224, 3], [1000]>>
 */
export const withStochasticDepth = <I, S>(m: Model<I, S>, rate: number): Either<Problem, Model<I, S>> => {
  const changed = changeOption(m as AnyModel, ['dropPath'], found => byDepth(found, rate), 'withStochasticDepth')
  const isMissing = changed._tag === 'Left' && changed.left.code === 'nothingToChange'
  const made = isMissing ? inBranches(m as AnyModel, 'withStochasticDepth', (block, blocks, branch) => named(`drop_path${branch}`, dropPath(linearDropPath(rate, blocks)[block]!))) : changed
  return made as Either<Problem, Model<I, S>>
}

const byDepth = (found: readonly Place[], rate: number) => {
  const blocks = blocksOf(found)
  const rates = linearDropPath(rate, blocks.count)
  return (place: Place): number => rates[blocks.of(place)]!
}
