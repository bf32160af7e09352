import type { AnyLayer } from '../../../layers/core/layer.js'
import { model, type AnyModel } from '../../../layers/core/model.js'
import { mapLayer } from '../../../layers/mapLayer.js'
import { filledOptions, isOptions } from '../../reduce/filledOptions.js'

/** Options that say how often something is dropped in training. */
const isRate = (name: string): boolean => /^(rate|\w*[dD]rop(out|Path|Rate)?)$/.test(name)

/** A model whose layers all drop at one rate, those too that drop nothing as they are written. */
export const withRates = ({ input, layers }: AnyModel, rate: number): AnyModel => model(input, layers.map(layer => mapLayer(layer, at(rate)))) as unknown as AnyModel

const at = (rate: number) => (layer: AnyLayer): AnyLayer => {
  const { config, make } = layer.definition
  const rates = Object.entries(config).filter(([name, value]) => isRate(name) && typeof value === 'number')
  if (rates.length === 0) return layer
  const changed = filledOptions(layer).map(arg =>
    isOptions(arg) ? Object.fromEntries(Object.entries(arg).map(([name, value]) => [name, isRate(name) ? rate : value]))
    : typeof arg === 'number' && rates.some(([, value]) => value === arg) ? rate
    : arg,
  )
  try {
    return make(...(changed as never[]))
  } catch {
    // A user's own layer need not take its options by these names.
    return layer
  }
}
