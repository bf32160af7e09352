import type { Arguments, Takes } from '../../layers/core/choice.js'
import type { AnyLayer } from '../../layers/core/layer.js'

/** How layers of one kind are made; without a description of its arguments, a constructor is called with none. */
export interface Constructor {
  readonly make: (...args: never[]) => AnyLayer
  readonly arguments?: Arguments
  /** The record it takes, where it takes but one kind. */
  readonly takes?: Takes
}
