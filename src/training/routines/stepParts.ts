import type { AnyModel } from '../../layers/core/model.js'
import type { Loss } from '../losses/lossOf.js'
import type { Objective, Subject } from '../objectives/objective.js'
import type { Optimiser } from '../optimisers/optimiser.js'

/** What a training step is made of. */
export interface StepParts {
  readonly loss: Loss
  /** What is learned (default: classification by the loss). */
  readonly objective?: Objective
  readonly optimiser: Optimiser
  /** The most that the norm of all gradients together may be. */
  readonly clipNorm?: number
  /** The most that a number of a gradient may be, either way. */
  readonly clipValue?: number
  /** The decay of a moving average of the weights, where one is kept. */
  readonly average?: number
  /** Batches whose gradients make one update (default 1). */
  readonly accumulate?: number
  /** What the rate of a layer is multiplied by, compared with the layer above it (default 1). */
  readonly layerDecay?: number
}

/** What a training step is made for, beside the model. */
export interface StepSubject extends Partial<Omit<Subject, 'learning' | 'fixed' | 'loss'>> {
  /** The form of the model that is trained, with the same parameters (default: the model itself). */
  readonly form?: AnyModel
}
