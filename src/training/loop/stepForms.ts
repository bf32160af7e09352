import { right, type Either } from 'fp-ts/lib/Either.js'
import type { Session } from '../../backends/session.js'
import type { Variant } from '../../backends/variant.js'
import type { AnyModel } from '../../layers/core/model.js'
import type { Problem } from '../../shape/problem.js'
import type { RoutineName, TrainingRoutines } from '../routines/trainingRoutines.js'

/** A form of the model made ready for steps of its own. */
export interface StepForm {
  readonly routines: TrainingRoutines
  readonly variant: Variant
}

/** How many forms are kept ready: each holds its plan, and constants on the device. */
const most = 16

/**
 * Forms that steps train, made ready when they are needed first; of those that were not used for the longest time the
 * oldest goes, so that memory does not grow with the number of forms there are.
 */
export class StepForms {
  private readonly kept = new Map<AnyModel, StepForm>()

  constructor(private readonly session: Session<RoutineName>, private readonly routinesOf: (form: AnyModel) => Either<Problem, TrainingRoutines>) {}

  async of(form: AnyModel): Promise<Either<Problem, StepForm>> {
    const known = this.kept.get(form)
    if (known !== undefined) {
      this.kept.delete(form)
      this.kept.set(form, known)
      return right(known)
    }
    const routines = this.routinesOf(form)
    if (routines._tag === 'Left') return routines
    const variant = await this.session.variant(routines.right.routines.train!)()
    if (variant._tag === 'Left') return variant
    for (const [oldest, { variant: old }] of [...this.kept].slice(0, Math.max(0, this.kept.size - most + 1))) {
      this.kept.delete(oldest)
      old.dispose()
    }
    const made = { routines: routines.right, variant: variant.right }
    this.kept.set(form, made)
    return right(made)
  }

  dispose(): void {
    for (const { variant } of this.kept.values()) variant.dispose()
    this.kept.clear()
  }
}
