import type { Backend } from '../../backends/device.js'
import type { Weights } from '../../backends/loadOnce.js'
import type { WrittenAugmentation } from '../data/augment/augmentation.js'
import type { Loss } from '../losses/lossOf.js'
import type { AnyModel } from '../../layers/core/model.js'
import type { Scores } from '../metrics/metric.js'
import type { Objective } from '../objectives/objective.js'
import type { Optimiser } from '../optimisers/optimiser.js'
import type { Schedule } from '../schedules/schedule.js'
import type { TrainingEvent } from './trainingEvent.js'

/** An objective, loss, optimiser or schedule by its name and options, as JSON writes it. */
export interface Named {
  readonly name: string
  readonly config?: Readonly<Record<string, unknown>>
}

/** Options of a training that are plain data, or can be: what a configuration file may say. */
export interface TrainSettings {
  /** How often all samples are gone through. This or `steps`. */
  readonly epochs?: number
  /** How many updates are made. */
  readonly steps?: number
  /** Samples that are computed at once. */
  readonly batchSize: number
  /** Batches whose gradients make one update (default 1): as one batch that many times as large. */
  readonly accumulate?: number
  readonly optimiser: Optimiser | Named
  /** Rate by update. `steps` in its config, where it needs them and they are not given, are those of the whole training. */
  readonly schedule: Schedule | Named
  /** A straight rise of the rate before the schedule (default none). */
  readonly warmup?: Warmup
  /** What is learned (default: classification). */
  readonly objective?: Objective | Named
  /** What compares logits with what they should be (default: cross-entropy); refused where the objective has a loss of its own. */
  readonly loss?: Loss | Named
  /** What is done to the samples that are learned from, not to those that are validated on: steps by name or of `augmentations` (default nothing). */
  readonly augment?: readonly WrittenAugmentation[]
  /** The most that the norm of all gradients together may be. */
  readonly clipNorm?: number
  /** The most that a number of a gradient may be, either way. */
  readonly clipValue?: number
  /** The decay of a moving average of the weights, which is then what is validated and kept as the best. */
  readonly average?: number
  /** What the rate of a layer is multiplied by, compared with the layer above it (default 1). */
  readonly layerDecay?: number
  /** All chance follows from it (default 0). */
  readonly seed?: number
  /** Updates between validations (default: the end of each epoch). */
  readonly validateEvery?: number
  /** Updates between checkpoints (default: after each validation and each epoch). */
  readonly checkpointEvery?: number
  /** After how many validations that are not the best so far it stops (default: never). */
  readonly patience?: number
  /** What the best is judged by (default: what the objective counts, `accuracy` or `retrieval`, else `loss`, of which less is better). */
  readonly watch?: keyof Scores
}

/** How a rate rises at the start: over a number of updates or of epochs. */
export interface Warmup {
  readonly steps?: number
  readonly epochs?: number
  /** The rate it rises from (default 0). */
  readonly from?: number
  /** Whether the schedule begins only when the rate has risen (default no). */
  readonly prefix?: boolean
}

/** Options of `train`. */
export interface TrainOptions extends TrainSettings {
  readonly backend: Backend
  /** The form of the model that is trained, where that is another one of the same parameters: a DeiT's two heads apart, say. */
  readonly form?: AnyModel
  /**
   * The form that one update trains, by how many were made before it: one-shot training of a supernet, a part of which
   * learns at a time. Parameters that it does not use stay as they are. Not with `accumulate`.
   */
  readonly formAt?: (step: number) => AnyModel
  /** What the weights begin as (default: initialised by the seed). */
  readonly weights?: Weights
  /** Where checkpoints and metrics are written (default: nowhere). */
  readonly folder?: string
  /** Whether to go on from the last checkpoint in the folder (default no). Where there is none yet, it begins at the beginning. */
  readonly resume?: boolean
  /** What weight files say of the model beside: `recipe`, `config`, `labels`, `mean`, `std`. */
  readonly about?: Readonly<Record<string, string>>
  /** Told as it goes. */
  readonly onEvent?: (event: TrainingEvent) => void
  /** Stops it after the update that is being made, with a checkpoint. */
  readonly signal?: AbortSignal
}
