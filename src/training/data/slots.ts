import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { of, type TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../../shape/problem.js'
import { random } from '../random.js'
import type { Dataset, SampleStream } from './dataset.js'
import type { Item, Skipped } from './image.js'
import { reasonOf } from '../../shape/reasonOf.js'
import { shuffled } from './shuffled.js'

/** A sample that may fill a place in a batch. */
export interface Candidate {
  readonly index: number
  /** Which time it stands in the epoch, from 0. */
  readonly time: number
  readonly item: TaskEither<Problem, Item>
}

/** A place in a batch: its candidates, best first; it stays empty where none is good. */
export type Slot = Iterable<Candidate>

/** The places of an epoch, a batch at a time and in the order of steps. */
export interface Slots {
  readonly take: () => Promise<Either<Problem, readonly Slot[]>>
  readonly close: () => void
}

/** An epoch, and from where. */
export interface EpochOptions {
  readonly seed: number
  readonly epoch: number
  readonly from: number
  readonly batchSize: number
  readonly shuffle: boolean
  /** How often each sample stands in the epoch, one place after the other: only the first samples of its order have a place in it then. */
  readonly times: number
}

/**
 * The places of an epoch over part of a dataset. With `replace`, other samples stand behind each: all of the epoch's
 * order, from a place of its own on, so that a corrupt sample's substitute depends on nothing but which are corrupt.
 */
export const datasetSlots = (dataset: Dataset, part: Uint32Array, replace: boolean, corrupt: ReadonlyMap<number, Skipped>, { seed, epoch, from, batchSize, shuffle, times }: EpochOptions): Slots => {
  const order = shuffle ? random(seed, 'order', epoch).permutation(part.length).map(place => part[place]!) : part
  const candidate = (index: number, place: number): Candidate => ({ index, time: place % times, item: dataset.item(index) })
  function* slot(place: number): Slot {
    const at = Math.floor(place / times)
    const own = order[at]!
    if (!corrupt.has(own)) yield candidate(own, place)
    if (!replace) return
    const first = random(seed, 'replacement', epoch, at).below(order.length)
    for (let i = 0; i < order.length; i++) {
      const index = order[(first + i) % order.length]!
      if (!corrupt.has(index)) yield candidate(index, place)
    }
  }
  let next = from * batchSize
  return {
    take: async () => {
      const places = Array.from({ length: Math.min(batchSize, order.length - next) }, (_, i) => next + i)
      next += batchSize
      return right(places.map(slot))
    },
    close: () => {},
  }
}

/** The places of an epoch of a stream, each with its one candidate. What comes before `from` is read and passed over, not decoded. */
export const streamSlots = (stream: SampleStream, { seed, epoch, from, batchSize, shuffle }: EpochOptions): Slots => {
  async function* numbered(): AsyncGenerator<Candidate> {
    let index = 0
    for await (const item of stream.items(epoch)) {
      yield { index: index++, time: 0, item: of(item) }
      if (index === stream.size) return
    }
  }
  const items = shuffle ? shuffled(numbered(), stream.shuffleBuffer, random(seed, 'order', epoch)) : numbered()
  let taken = 0
  const pull = async (): Promise<Either<Problem, readonly Slot[]>> => {
    try {
      const slots: Slot[] = []
      const end = Math.min(stream.size, Math.max(taken, from * batchSize) + batchSize)
      for (; taken < end; taken++) {
        const next = await items.next()
        if (next.done === true) return left(problem('streamEnded', `${stream.name}: gives ${taken} samples in epoch ${epoch}, not the ${stream.size} it was said to`, { remedy: `state size: ${taken}, or begin anew in each epoch` }))
        if (taken >= from * batchSize) slots.push([next.value])
      }
      return right(slots)
    } catch (cause) {
      return left(problem('streamFailed', `${stream.name}: fails in epoch ${epoch}, when ${taken} samples were taken: ${reasonOf(cause)}`))
    }
  }
  // Batches are asked for while others are being made, but a stream is read one by one.
  let last: Promise<Either<Problem, readonly Slot[]>> = Promise.resolve(right([]))
  return {
    take: () => (last = last.then(before => (before._tag === 'Left' ? before : pull()))),
    // Not awaited: a source that is slow to give its next sample would hold up whoever ends early.
    close: () => void items.return(undefined).catch(() => {}),
  }
}
