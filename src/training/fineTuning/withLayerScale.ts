import type { Either } from 'fp-ts/lib/Either.js'
import type { AnyModel, Model } from '../../layers/core/model.js'
import { layerScale } from '../../layers/layerScale.js'
import { named } from '../../layers/named.js'
import type { Problem } from '../../shape/problem.js'
import { changeOption } from './changeOption.js'
import { inBranches } from './inBranches.js'

/**
 * A model whose residual branches are scaled channel by channel, beginning with `init` (Touvron et al., 2021, "Going
 * deeper with image transformers", section 2). It changes blocks that have the option (`encoderBlock`,
 * `transformerBlock2d`) and `layerScale` layers; where there are none, it puts some at the end of every `residual`
 * branch. New parameters are `ls1.gamma [dim]` and `ls2.gamma [dim]` of each block.
 *
 * Errors: those of `trace`; `nothingToChange`.
 *
 * @example
 * withLayerScale(vitTiny, 1e-5) // Either<Problem, Model<[224, 224, 3], [1000]>>
 */
export const withLayerScale = <I, S>(m: Model<I, S>, init: number): Either<Problem, Model<I, S>> => {
  const changed = changeOption(m as AnyModel, ['layerScale'], () => () => init, 'withLayerScale')
  const isMissing = changed._tag === 'Left' && changed.left.code === 'nothingToChange'
  return (isMissing ? inBranches(m as AnyModel, 'withLayerScale', (_, __, branch) => named(`ls${branch}`, layerScale(init))) : changed) as Either<Problem, Model<I, S>>
}
