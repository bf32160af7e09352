import type { AnyModel } from '../layers/core/model.js'
import type { Price } from './priceOf.js'

/** A model of a space that is within the budget. */
export interface Candidate<P> extends Price {
  readonly picked: P
  /** The name of the choice. */
  readonly key: string
  readonly model: AnyModel
}

/** A candidate with its score, and the generation it came in, from 0. */
export interface Scored<P> extends Candidate<P> {
  readonly score: number
  readonly generation: number
}
