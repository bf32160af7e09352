import type { AnyLayer } from '../../layers/core/layer.js'
import type { AnyModel } from '../../layers/core/model.js'
import { serial } from '../../layers/serial.js'

/**
 * All layers of a model as one layer; parameters and features keep their names.
 *
 * @example
 * asOne(pipe(input(4), linear(10))).definition.kind // 'linear'
 */
export const asOne = ({ layers }: Pick<AnyModel, 'layers'>): AnyLayer => (layers.length === 1 ? layers[0]! : serial(...layers))
