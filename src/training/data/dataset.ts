import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Problem } from '../../shape/problem.js'
import type { Item } from './image.js'

/**
 * A finite source of samples that can be reached by number, from 0. Images may differ in size and channels:
 * what a model takes is made of them where they are decoded, see `batches`.
 */
export interface Dataset {
  readonly name: string
  readonly classes: readonly string[]
  readonly size: number
  /** The class of each sample, known without decoding any. */
  readonly labels: Int32Array
  /** One sample, not yet decoded: this runs on the thread that trains, and should be cheap. */
  readonly item: (index: number) => TaskEither<Problem, Item>
}

/** A source that can only be read from its beginning, see `fromAsyncIterable`. */
export interface SampleStream {
  readonly name: string
  readonly classes: readonly string[]
  /** Samples in an epoch. */
  readonly size: number
  /** How many samples wait, undecoded, to be drawn in random order. */
  readonly shuffleBuffer: number
  readonly items: (epoch: number) => AsyncIterable<Item> | Iterable<Item>
}
