import { layerIndices } from './layerIndices.js'

/**
 * Layer-wise rate decay (Clark et al., 2020, ELECTRA; Bao et al., 2022, BEiT): what each parameter's rate is multiplied
 * by, `decay` to the number of layers above it; 1 for the head.
 *
 * @param names all parameters, in the order in which the model uses them
 *
 * @example
 * layerDecay(['cls_token', 'blocks.0.norm1.weight', 'head.weight'], 0.5).get('cls_token') // 0.25
 */
export const layerDecay = (names: readonly string[], decay: number): ReadonlyMap<string, number> => {
  const { depth, of } = layerIndices(names)
  return new Map(names.map(name => [name, decay ** (depth + 1 - of.get(name)!)]))
}
