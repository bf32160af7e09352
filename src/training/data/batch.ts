import type { Either } from 'fp-ts/lib/Either.js'
import type { Problem } from '../../shape/problem.js'
import type { Skipped } from './image.js'
import type { PrepareOptions } from './samplePreparer.js'

/** How samples become batches. */
export interface BatchOptions extends Omit<PrepareOptions, 'seed'> {
  readonly batchSize: number
  /** All chance follows from it: order, split, substitutes and transforms. 0 unless given. */
  readonly seed?: number
  /** A new order in each epoch. True unless given, but false for the validation part. */
  readonly shuffle?: boolean
  /** Leaves out the last batch of an epoch if it is smaller than the others. False unless given. */
  readonly dropLast?: boolean
  /** One part of a dataset; `validation` is the share of that part, more than 0 and less than 1. */
  readonly split?: { readonly validation: number; readonly part: 'train' | 'validation' }
  /** What stands in for a corrupt sample: another one, or nothing, so that its batch is smaller. Another unless given, but nothing where the order is not shuffled, and in streams. */
  readonly corrupt?: 'replace' | 'leaveOut'
  /** Threads that decode and resize; 0 does it on the thread that trains. 1 unless given, or 0 if `transform` is a function, which cannot be handed to a thread. */
  readonly workers?: number
  /** How many batches are made ahead: memory holds these and the one being waited for. 2 unless given. */
  readonly prefetch?: number
}

/** A part of an epoch, as a model takes it. */
export interface Batch {
  /** Its number in the epoch, from 0. */
  readonly step: number
  /** `[size, height, width, channels]`, normalised. */
  readonly images: Float32Array
  readonly labels: Int32Array
  readonly size: number
  readonly names: readonly string[]
}

/** Where to begin and to end in an epoch, and how to stop it. */
export interface EpochStart {
  /** The first step; those before it are not decoded. */
  readonly from?: number
  /** The step it ends before (default: all). Ended there, an epoch leaves its threads to the next, as one gone through does. */
  readonly to?: number
  readonly signal?: AbortSignal
}

/** A source of batches, epoch by epoch. */
export interface Batches {
  readonly classes: readonly string[]
  /** Samples in an epoch. */
  readonly size: number
  /** Batches in an epoch, however many samples turn out corrupt. */
  readonly steps: number
  /** The batches of an epoch, in order; the first problem ends it. Leaving the loop early ends the threads. */
  readonly epoch: (epoch: number, start?: EpochStart) => AsyncIterable<Either<Problem, Batch>>
  /** The corrupt samples found so far, by name. */
  readonly skipped: () => readonly Skipped[]
  /** Ends the threads; those that wait for nothing do not keep the process alive. */
  readonly close: () => Promise<void>
}
