import { left } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { AnyModel } from '../layers/core/model.js'
import { problem, type Problem } from '../shape/problem.js'
import { train } from '../training/loop/train.js'
import type { TrainingResult } from '../training/loop/trainer.js'
import type { TrainingData } from '../training/loop/trainingData.js'
import type { TrainOptions } from '../training/loop/trainOptions.js'
import { random } from '../training/random.js'
import { checkBudget, isWithin, type Budget } from './budget.js'
import { checkSpace } from './checkSpace.js'
import { partOf } from './partOf.js'
import { priceOf } from './priceOf.js'
import type { AnyPicked, Space } from './space.js'

/** Options of {@link trainSupernet}. */
export interface SupernetOptions extends Omit<TrainOptions, 'form' | 'formAt' | 'accumulate'> {
  /** What the sampled sub-networks may cost (default: anything). */
  readonly budget?: Budget
  /** Updates that a sub-network trains for before another is drawn (default 1, as in the paper): a plan is made for each that is drawn, which for small networks takes as long as an update. */
  readonly updatesEach?: number
}

/** How often a sub-network is drawn until one is within the budget. */
const patience = 1000

/** How many drawn sub-networks are remembered. */
const most = 64

/**
 * Trains the whole of a space in one go so that its parts work (one-shot training with weight entanglement: Chen et al.,
 * 2021, "AutoFormer", section 3.2): each update draws one part by its number and the seed, and trains the first rows and
 * columns of the weights that it uses; all else stays as it is. It goes on, validates (the whole) and writes like any
 * other training. Errors: those of `train`; `badSpace` (of no whole, say), `badBudget`,
 * `badOption`, `noneWithinBudget`.
 *
 * @example
 * const trained = await trainSupernet(defineSpace({ dim: [1, 2] }, ({ dim }) => pipe(input(1, 1, 1), globalPool(), linear(dim), linear(2)), { whole: pipe(input(1, 1, 1), globalPool(), linear(2), linear(2)) }), { train: { name: 'one', classes: ['dark', 'light'], size: 1, labels: Int32Array.of(1), item: () => async () => right({ label: 1, name: 'a', image: { height: 1, width: 1, channels: 1, pixels: Uint8Array.of(255) } }) }, workers: 0 }, { backend: wasm, steps: 2, batchSize: 1, optimiser: optimisers.adamw(), schedule: schedules.constant({ rate: 0.001 }) })() // Either<Problem, TrainingResult>
 */
export const trainSupernet = <P, M>(space: Space<P, M>, data: TrainingData, { budget = {}, updatesEach = 1, ...options }: SupernetOptions): TaskEither<Problem, TrainingResult> => async () => {
  const wrong = [checkSpace(space as unknown as Space<AnyPicked, M>), checkBudget(budget)].find(check => check._tag === 'Left')
  if (wrong?._tag === 'Left') return wrong
  if (!(Number.isSafeInteger(updatesEach) && updatesEach >= 1)) return left(problem('badOption', `train: updatesEach must be a whole number from 1, got ${JSON.stringify(updatesEach)}`, { path: 'updatesEach' }))
  const { whole } = space
  if (whole === undefined) return left(problem('badSpace', 'space: there is no whole that its models are parts of', { remedy: 'give one: defineSpace(choices, model, { whole })' }))
  const { seed = 0 } = options
  const parts = new Map<string, AnyModel>()
  const draw = (step: number): AnyModel | undefined => {
    for (let attempt = 0; attempt < patience; attempt++) {
      const picked = space.sample(random(seed, 'supernet', step, attempt))
      const known = parts.get(space.keyOf(picked))
      if (known !== undefined) return known
      const part = space.model(picked) as AnyModel
      const price = priceOf(part)
      if (price._tag === 'Left' || !isWithin(price.right, budget)) continue
      const made = partOf(part, whole)
      // The same object for the same choice, whose plan may still be there; a space may be far too large to keep all.
      if (parts.size === most) parts.delete(parts.keys().next().value!)
      parts.set(space.keyOf(picked), made)
      return made
    }
    return undefined
  }
  if (draw(0) === undefined) return left(problem('noneWithinBudget', `train: none of ${patience} sub-networks is within the budget ${JSON.stringify(budget)}`))
  return train(whole, data, { ...options, formAt: step => draw(Math.floor(step / updatesEach)) ?? draw(0)! })()
}
