import { gradient } from '../../graph/gradient/gradient.js'
import type { Tensor } from '../../ops/tensor.js'

/** A parameter and the gradient of the loss for it. */
export interface ParameterGradient {
  readonly parameter: Tensor<'parameter'>
  readonly gradient: Tensor
}

/**
 * The gradients of a loss for the parameters it depends on, those of the last parameters first: computed in this order,
 * each frees what it needed as soon as it can be.
 */
export const gradientsOf = (loss: Tensor, parameters: readonly Tensor<'parameter'>[]): { readonly gradients: readonly ParameterGradient[]; readonly origin: ReadonlyMap<Tensor, Tensor> } => {
  const { of, origin } = gradient(loss, parameters)
  const gradients = [...parameters].reverse().flatMap(parameter => {
    const found = of.get(parameter)
    return found === undefined ? [] : [{ parameter, gradient: found }]
  })
  return { gradients, origin }
}
