import type { Either } from 'fp-ts/lib/Either.js'
import type { PlanBytes } from '../../backends/planBytes.js'
import type { Outputs } from '../../backends/session.js'
import type { Graph } from '../../graph/graph.js'
import type { Signal, Tensor } from '../../ops/tensor.js'
import type { Problem } from '../../shape/problem.js'
import type { Batch } from '../data/batch.js'
import type { Loss } from '../losses/lossOf.js'
import type { Random } from '../random.js'

/** What a training learns, as a value: see {@link Aim}. `objectives` has them all; `objectiveOf` reads them out of JSON. */
export interface Objective {
  readonly name: string
  /** Its options as plain data, for checkpoints: a training whose objective is another is not resumed. */
  readonly config: Readonly<Record<string, unknown>>
  /** What it means for a model. Where losses are given shapes that do not fit, they throw an `OpError`, as ops do. */
  readonly aim: (subject: Subject) => Either<Problem, Aim>
  /** What it holds on a device beside the training's own session, at a batch size. */
  readonly bytes?: (batchSize: number) => Either<Problem, PlanBytes>
}

/** What an objective is for. */
export interface Subject {
  /** The form of the model that is trained, in training mode. */
  readonly learning: Graph
  /** The model as it is used, in inference mode. */
  readonly fixed: Graph
  /** What compares logits with distributions, where an objective does not say itself. */
  readonly loss: Loss
  readonly batchSize: number
  readonly train: Source
  readonly validation: Source
  /** How images were normalised, a number for each channel, or one for all. */
  readonly mean: readonly number[]
  readonly std: readonly number[]
}

/** What samples are called: their classes, or for pairs their texts. */
export interface Source {
  readonly classes: readonly string[]
}

/** What an objective means for one model. */
export interface Aim {
  /** Where images go in: its shape is what they are made into. */
  readonly image: Signal
  /** How many classes of the data the model must tell apart; nothing where labels are not its target. */
  readonly numClasses?: number
  /** What `hits` count, as metrics call it; nothing where there is nothing to count. */
  readonly score?: ScoreName
  /** Whether samples of a batch are compared with each other, so that every batch must be whole. */
  readonly isWhole?: boolean
  readonly train: Task
  readonly evaluate: Task
  /** For a person to look at, out of the graph of `evaluate`: what the model is shown, and the image it makes of it. */
  readonly pictures?: Pictures
}

/** Images, `[height, width, channels]` each, normalised as those that are fed. */
export interface Pictures {
  readonly shown: Tensor
  readonly made: Tensor
}

/** What is counted as right: the class, or the partner among those of the batch. */
export type ScoreName = 'accuracy' | 'retrieval'

/** A graph that gives a loss, and what goes in and is read off it. */
export interface Task {
  readonly inputs: Readonly<Record<string, Signal>>
  readonly loss: Tensor
  /** What `hits` reads. */
  readonly outputs: Readonly<Record<string, Tensor>>
  /** What a run on a batch is fed, in the form of `inputs`. */
  readonly feed: Feed
  /** How many samples of a batch are right. */
  readonly hits?: (outputs: Outputs, fed: Fed, batch: Batch) => number
}

/** Values by the names of inputs. */
export type Fed = Readonly<Record<string, unknown>>

/** The chance of one batch, by the name of a stream: it depends on the seed and the number of the batch alone. */
export type Chance = (stream: string) => Random

/** Makes of a batch what a graph is fed. */
export type Feed = (batch: Batch, chance: Chance) => Promise<Either<Problem, Fed>>
