import { left, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../../shape/problem.js'
import type { Item } from './image.js'
import { reasonOf } from '../../shape/reasonOf.js'
import type { PrepareOptions, Prepared } from './samplePreparer.js'
import { ownLane, workerLane, type Lane } from './workerLane.js'

/** A sample to prepare, fetched when its turn comes. */
export interface DecodeTask {
  readonly item: TaskEither<Problem, Item>
  readonly epoch: number
  readonly index: number
  /** Which time it stands in the epoch, from 0. */
  readonly time?: number
  /** Whether anybody still waits for it. */
  readonly signal: AbortSignal
}

/** Prepares samples, first come first served, at most a few at once; threads start with the first. */
export interface Decoders {
  readonly prepare: (task: DecodeTask) => Promise<Either<Problem, Prepared>>
  /** Ends the threads once what they have begun is done; a later sample starts them anew. */
  readonly close: () => Promise<void>
}

/** Samples at once in each lane: sharp decodes on four threads of libuv's, whichever thread asks it to. */
const width = 4

interface Waiting extends DecodeTask {
  readonly settle: (result: Either<Problem, Prepared>) => void
}

/** A place for a few samples at once; its thread starts with the first that needs one. */
interface Place {
  readonly lane: () => Promise<Lane>
  busy: number
}

/**
 * Decoders on that many threads, or on the calling one for 0. Images in memory that are only to be normalised stay on
 * the calling thread too: handing them over costs it more.
 *
 * Errors of each sample: those of its item and of `samplePreparer`, `workerStopped`, `sampleFailed` (a source that throws), `aborted`.
 *
 * @example
 * await decoders({ shape: [1, 1, 1], seed: 1 }, 0).prepare({ item: async () => left({ code: 'gone', sentence: 'gone', path: '' }), epoch: 0, index: 0, signal: new AbortController().signal }) // left({ code: 'gone', sentence: 'gone', path: '' })
 */
export const decoders = (options: PrepareOptions, workers: number): Decoders => {
  const own = ownLane(options)
  let started: Promise<Lane>[] = []
  let queue: Waiting[] = []

  const place = (): Place => {
    let lane: Promise<Lane> | undefined
    const start = (): Promise<Lane> => {
      // What is prepared is the same on any thread, so where none may start this one does it.
      const starting = workerLane(options).catch(() => own)
      started.push(starting)
      return starting
    }
    return { lane: () => (lane ??= start()), busy: 0 }
  }
  const fresh = (): readonly Place[] => Array.from({ length: Math.max(1, workers) }, place)
  let places = fresh()

  const pump = (): void => {
    while (queue.length > 0) {
      const idlest = places.reduce((best, each) => (each.busy < best.busy ? each : best))
      if (idlest.busy >= width) return
      const task = queue.shift()!
      idlest.busy++
      void work(task, idlest).then(result => {
        idlest.busy--
        task.settle(result)
        if (queue.length > 0) pump()
      })
    }
  }

  const work = async ({ item, epoch, index, time = 0, signal }: Waiting, { lane }: Place): Promise<Either<Problem, Prepared>> => {
    const unwanted = left(problem('aborted', 'nobody waits for this sample any more'))
    if (signal.aborted) return unwanted
    try {
      const fetched = await item()
      if (fetched._tag === 'Left') return fetched
      if (signal.aborted) return unwanted
      const stays = workers === 0 || isReady(fetched.right, options)
      return await (stays ? own : await lane()).run({ item: fetched.right, epoch, index, time })
    } catch (cause) {
      return left(problem('sampleFailed', `sample ${index} cannot be had: ${reasonOf(cause)}`))
    }
  }

  return {
    prepare: task => new Promise(settle => {
      queue.push({ ...task, settle })
      pump()
    }),
    close: async () => {
      for (const { settle } of queue) settle(left(problem('aborted', 'the decoders were closed')))
      queue = []
      const closing = started
      started = []
      places = fresh()
      await Promise.allSettled(closing.map(async lane => (await lane).close()))
    },
  }
}

const isReady = ({ image }: Item, { shape: [height, width], transform, augment = [] }: PrepareOptions): boolean =>
  transform === undefined && augment.length === 0 && 'pixels' in image && image.height === height && image.width === width
