import type { AnyLayer } from '../../layers/core/layer.js'
import type { Oracle } from './oracle.js'
import { oracles } from './oracles.js'

/**
 * The oracle of a layer: what it computes in inference, written down a second time from the paper or from PyTorch's
 * semantics, in plain loops over float64, sharing nothing with the layer's own `forward` or with the ops. `undefined`
 * for layers that are not of the library's listing, such as a user's own. `[...] → [...]` of the layer.
 *
 * @example
 * oracleOf(linear(3)) === undefined // false
 */
export const oracleOf = ({ definition }: AnyLayer): Oracle | undefined => oracles.get(definition.make)
