import type { AnyLayer } from '../../../layers/core/layer.js'
import type { AnyModel } from '../../../layers/core/model.js'
import { layersOf } from '../../shrink/countLayers.js'

/** Every layer of a model as it was written: its layers and those among their arguments, outer ones first. */
export const allLayers = ({ layers }: Pick<AnyModel, 'layers'>): readonly AnyLayer[] => layers.flatMap(layer => [layer, ...allLayers({ layers: layersOf(layer) })])
