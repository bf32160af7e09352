import { isLayer, type AnyLayer } from '../../layers/core/layer.js'
import { isSize } from '../../shape/natural.js'

/** The layers of one argument: the layer it is, those of a record, or the blocks of a function of their number. */
export const layersIn = (arg: unknown, args: readonly unknown[]): readonly AnyLayer[] => {
  if (isLayer(arg)) return [arg]
  if (typeof arg === 'function') return blocksOf(args[0], arg as (index: number) => unknown)
  return typeof arg === 'object' && arg !== null && !Array.isArray(arg) ? Object.values(arg).filter(isLayer) : []
}

/** The layers a layer is made of, as its arguments say. */
export const layersOf = ({ definition: { args } }: AnyLayer): readonly AnyLayer[] => args.flatMap(arg => layersIn(arg, args))

/** The blocks that a function of their number gives, as often as `repeat` asks for them. */
const blocksOf = (times: unknown, block: (index: number) => unknown): readonly AnyLayer[] => Array.from({ length: isSize(times) ? Math.min(times, 1000) : 1 }, (_, i) => block(i)).filter(isLayer)

/**
 * The layers of a model, combinators and what is inside them included; blocks that repeat count once.
 *
 * @example
 * countLayers(pipe(input(8), residual(linear(8)), gelu())) // 3
 */
export const countLayers = ({ layers }: { readonly layers: readonly AnyLayer[] }): number => layers.reduce((sum, layer) => sum + 1 + countLayers({ layers: layersOf(layer) }), 0)
