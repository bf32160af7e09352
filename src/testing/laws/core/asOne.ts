import type { AnyLayer } from '../../../layers/core/layer.js'
import type { AnyModel } from '../../../layers/core/model.js'
import { serial } from '../../../layers/serial.js'

/** All layers of a model as one layer. */
export const asOne = ({ layers }: AnyModel): AnyLayer => (layers.length === 1 ? layers[0]! : serial(...layers))
