import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../../shape/problem.js'
import type { Batch, Batches } from '../data/batch.js'
import type { Settled } from './settled.js'

/** The batches of one update after the other, epoch after epoch, from any step on. */
export class BatchReader {
  private iterator: AsyncIterator<Either<Problem, Batch>> | undefined

  constructor(private readonly batches: Batches, private readonly settings: Pick<Settled, 'accumulate' | 'stepsPerEpoch'>, private step: number) {}

  /** What the next update is made of. Errors: those of the batches; `streamEnded` (fewer than there were said to be). */
  async next(signal?: AbortSignal): Promise<Either<Problem, readonly Batch[]>> {
    const { accumulate, stepsPerEpoch } = this.settings
    const [epoch, at] = [Math.floor(this.step / stepsPerEpoch), this.step % stepsPerEpoch]
    this.iterator ??= this.batches.epoch(epoch, { from: at * accumulate, to: stepsPerEpoch * accumulate, ...(signal === undefined ? {} : { signal }) })[Symbol.asyncIterator]()
    const taken: Batch[] = []
    while (taken.length < accumulate) {
      const next = await this.iterator.next()
      if (next.done === true) return left(problem('streamEnded', `train: epoch ${epoch + 1} gives fewer batches than it was said to`))
      if (next.value._tag === 'Left') return next.value
      taken.push(next.value.right)
    }
    this.step++
    // Gone through to its end, the epoch leaves its threads to the next.
    if (at + 1 === stepsPerEpoch) {
      await this.iterator.next()
      await this.close()
    }
    return right(taken)
  }

  /** Lets go of an epoch that is under way. */
  async close(): Promise<void> {
    await this.iterator?.return?.()
    this.iterator = undefined
  }
}
