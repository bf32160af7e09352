import type { PlanBytes } from '../../backends/planBytes.js'
import type { Skipped } from '../data/image.js'
import type { Metric } from '../metrics/metric.js'

/** What a training is about to do. */
export interface TrainingPlan {
  readonly backend: string
  /** Numbers the model has, and how many of them are trained. */
  readonly parameters: number
  readonly trained: number
  readonly samples: number
  readonly validationSamples: number
  readonly classes: readonly string[]
  readonly epochs: number
  /** Updates in all, and in an epoch. */
  readonly steps: number
  readonly stepsPerEpoch: number
  /** The step it goes on from; 0 at the start. */
  readonly from: number
  /** The checkpoint it goes on from. */
  readonly checkpoint?: string
  /** What the training holds on the device at its batch size. */
  readonly bytes: PlanBytes
}

/** What `train` tells as it goes. Times are in milliseconds; no other part of a training depends on them. */
export type TrainingEvent =
  | { readonly kind: 'started'; readonly plan: TrainingPlan }
  /** Something that is not as it should be but does not stop the training. */
  | { readonly kind: 'warning'; readonly sentence: string }
  /** `left` is the time to the end, if it goes on like this. */
  | { readonly kind: 'metric'; readonly metric: Metric; readonly samplesPerSecond: number; readonly left: number }
  | { readonly kind: 'validating'; readonly done: number; readonly samples: number }
  | { readonly kind: 'checkpoint'; readonly file: string; readonly step: number }
  /** Corrupt samples, told once each. */
  | { readonly kind: 'skipped'; readonly sample: Skipped }
