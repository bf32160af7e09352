/** How far a training has come, beside its tensors: what it needs to go on as if it had never stopped. */
export interface Progress {
  /** Updates made. */
  readonly step: number
  /** Whether the validation that follows this step is still to be done. */
  readonly isDue: boolean
  /** Sums over the samples since the epoch began; `correct` are those that were right, as the objective counts them. */
  readonly sums: { readonly loss: number; readonly correct: number; readonly samples: number }
  /** The best validation so far, by the number that is watched. */
  readonly best?: { readonly step: number; readonly value: number }
  /** Validations since then. */
  readonly waited: number
}

/** Before the first step. */
export const noProgress: Progress = { step: 0, isDue: false, sums: { loss: 0, correct: 0, samples: 0 }, waited: 0 }
