import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../../shape/problem.js'
import type { SampleStream } from './dataset.js'
import type { Item } from './image.js'

/** What a stream cannot say itself. */
export interface StreamOptions {
  readonly classes: readonly string[]
  /** Samples in an epoch; the source may be endless, but must have as many. */
  readonly size: number
  /** How many samples wait, undecoded, to be drawn in random order: at most this far does one move. 1000 unless given. */
  readonly shuffleBuffer?: number
  readonly name?: string
}

/**
 * Samples out of anything that gives them one by one: `open` is asked at the beginning of each epoch. For the same
 * epoch it must give the same samples in the same order if a run is to be repeated or resumed; what a resumed epoch
 * has behind it is read again, but not decoded. Images may be files or bytes, to be decoded by `batches`.
 *
 * Errors: `optionMalformed`.
 *
 * @example
 * fromAsyncIterable(() => [{ name: 'a', label: 0, image: { file: 'a.png' } }], { classes: ['cat', 'dog'], size: 1 }) // Either<Problem, SampleStream>
 */
export const fromAsyncIterable = (open: (epoch: number) => AsyncIterable<Item> | Iterable<Item>, { classes, size, shuffleBuffer = 1000, name = 'stream' }: StreamOptions): Either<Problem, SampleStream> => {
  for (const [option, value] of Object.entries({ size, shuffleBuffer })) {
    if (!Number.isSafeInteger(value) || value < 1) return left(problem('optionMalformed', `${name}: ${option} must be a whole number from 1, not ${value}`))
  }
  return right({ name, classes, size, shuffleBuffer, items: open })
}
