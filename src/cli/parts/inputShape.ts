import type { InputSpec } from '../../layers/core/model.js'
import type { SignalShape } from '../../shape/shape.js'

/** The shape a model takes, without the batch: an array, `{ integers }`, or a record of them. */
export const inputShape = (spec: InputSpec): SignalShape => {
  if ('fields' in spec) return Object.fromEntries(Object.entries(spec.fields).map(([name, field]) => [name, inputShape(field)]))
  return spec.dtype === 'int32' ? { integers: spec.shape } : spec.shape
}
