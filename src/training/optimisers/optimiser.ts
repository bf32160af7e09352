import type { Tensor } from '../../ops/tensor.js'

/** What one step of one parameter is made of. */
export interface OptimiserStep {
  readonly parameter: Tensor
  readonly gradient: Tensor
  /** The state tensors, by the names in {@link Optimiser.state}. */
  readonly state: Readonly<Record<string, Tensor>>
  /** The learning rate, `[]`. */
  readonly rate: Tensor
  /** The number of this step, from 1, `[]`. */
  readonly step: Tensor
  /** Whether weight decay applies to this parameter. */
  readonly decay: boolean
  /** Multiplies the rate (layer-wise rate decay). */
  readonly scale: number
}

/** A rule that turns gradients into new parameters, as ops: it runs wherever the model runs. */
export interface Optimiser {
  readonly name: string
  readonly config: Readonly<Record<string, unknown>>
  /** Names of the state tensors kept for each parameter, of the parameter's shape, all zeros at the start: ['m', 'v']. */
  readonly state: readonly string[]
  /** One step for one parameter. */
  readonly update: (at: OptimiserStep) => { readonly parameter: Tensor; readonly state: Readonly<Record<string, Tensor>> }
}
