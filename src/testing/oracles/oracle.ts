import type { AnyLayer } from '../../layers/core/layer.js'
import type { Numbers } from './numbers.js'

/** What an oracle takes and gives: one array, or a record of them; one sample, no batch axis. */
export type Values = Numbers | { readonly [name: string]: Values }

/** What a layer runs in: a window, inside `windows`, or among tokens of which some no longer count, inside `decideTokens`. */
export type OracleWindow =
  | {
      /** Tokens down and across. */
      readonly size: readonly [number, number]
      /** Whether two tokens were neighbours before the map was rolled. */
      readonly sees: (query: number, key: number) => boolean
      readonly policy?: never
    }
  | {
      readonly size?: never
      readonly sees?: never
      /** 1 for a token that counts, else 0: `[tokens, 1]`. */
      readonly policy: Numbers
    }

/** What a layer computes, once its weights are found. */
export type Run = (x: Values, window?: OracleWindow) => Values

/** Where a layer stands in a model, as its oracle sees it. */
export interface Place {
  /** The weight of that local name. Throws a {@link WeightFault} where the model has none, or one of another shape. */
  readonly weight: (name: string, ...shape: readonly number[]) => Numbers
  /** The place of a part of the layer, for composite layers that are defined as a whole. */
  readonly at: (scope: string) => Place
  /** Another layer inside this one: under the scope given, or its own. */
  readonly bind: (layer: AnyLayer, scope?: string) => Run
  /** The same place, where a weight that is asked for may be the first elements, along each axis, of the one there is. */
  readonly inWhole: () => Place
  /** What a bound layer gave at a path inside this one, the last time that it ran. Throws a {@link WeightFault} where no oracle ran at that path. */
  readonly given: (path: string) => Values
}

/**
 * A layer's independent definition in inference: `(place, ...the layer's own arguments) → run`. Weights are asked for
 * when it runs, since their shapes depend on what arrives; inner layers are bound at once, since their names count.
 */
export type Oracle = (place: Place, ...args: never[]) => Run

/** How an oracle says that the model's weights are not those the layer is known to have; `runOracle` makes it a problem. */
export class WeightFault extends Error {
  override readonly name = 'WeightFault'
  constructor(readonly parameter: string, readonly sentence: string) {
    super(`${parameter}: ${sentence}`)
  }
}
