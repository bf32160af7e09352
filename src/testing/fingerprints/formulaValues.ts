import { formulaWeights } from '../../weights/formulaWeights.js'
import type { InputSpec } from '../../layers/core/model.js'
import type { Shape } from '../../shape/shape.js'
import type { OracleInput } from '../oracles/runOracle.js'

/** Where the values of a weight lie, and how far they spread, by its name: everything counts for something. */
const kinds: readonly (readonly [RegExp, offset: number, spread: number])[] = [
  [/running_mean$/, 0, 0.2],
  [/running_var$/, 1, 0.4],
  [/gamma(_\d)?$/, 0.5, 0.4],
  [/gating_param$/, 0.3, 1.5],
  [/bias_table$/, 0, 0.8],
  [/pos_proj\.weight$/, 0, 0.1],
  [/(pos_embed\w*|_token)$/, 0, 0.5],
]

/**
 * Stand-ins for the trained values of a weight, always the same for one name and shape. Weights of norms lie around 1,
 * biases around 0, and a linear map keeps the size of what it is given.
 *
 * @example
 * formulaValues('norm.weight', [2]).every(value => Math.abs(value - 1) <= 0.4) // true
 */
export const formulaValues = (name: string, shape: Shape): Float32Array => {
  const known = kinds.find(([pattern]) => pattern.test(name))
  const [offset, spread] = known !== undefined ? [known[1], known[2]] : shape.length > 1 ? [0, Math.sqrt(3 / shape.slice(1).reduce((a, b) => a * b, 1))] : name.endsWith('weight') ? [1, 0.4] : [0, 0.2]
  return formulaWeights(name, shape, offset, spread, 'fingerprint')
}

/** What a fingerprint is made on: the numbers of one input, or a record of those of several. */
export const formulaInput = (spec: InputSpec, name = 'x'): OracleInput => {
  if ('fields' in spec) return Object.fromEntries(Object.entries(spec.fields).map(([field, inner]) => [field, formulaInput(inner, name === 'x' ? field : `${name}.${field}`)]))
  const drawn = formulaWeights(name, spec.shape, 0.1, 1, 'fingerprint input')
  return spec.dtype === 'int32' ? Int32Array.from(drawn, value => Math.floor(3 * value + 3)) : drawn
}
