import { toJson } from '../../exporters/json/toJson.js'
import { isLayer, type AnyLayer } from '../../layers/core/layer.js'
import { model, type AnyModel } from '../../layers/core/model.js'
import { mapLayer } from '../../layers/mapLayer.js'
import { repeat } from '../../layers/repeat.js'

/**
 * A model whose repeated blocks are cut down to two, or to one of each sort where blocks differ by more than a rate.
 *
 * @example
 * fewerBlocks(pipe(input(5, 8), repeat(12, encoderBlock({ numHeads: 2 })))).layers[0].definition.config.times // 2
 */
export const fewerBlocks = <M extends Pick<AnyModel, 'input' | 'layers'>>({ input, layers }: M): AnyModel => model(input, layers.map(layer => mapLayer(layer, shorter))) as unknown as AnyModel

const shorter = (layer: AnyLayer): AnyLayer => {
  const { make, args } = layer.definition
  if (make !== (repeat as unknown)) return layer
  const [times, block, config] = args as readonly [number, AnyLayer | ((index: number) => AnyLayer), { readonly first?: number }?]
  if (!(times > 2)) return layer
  if (isLayer(block)) return repeat(2, block, config)
  const sorts = new Map<string, number>()
  for (let index = 0; index < times; index++) {
    const sort = sortOf(block(index))
    if (!sorts.has(sort)) sorts.set(sort, index)
  }
  // Two at least; the last one is where a rate that grows has grown.
  const chosen = [...sorts.values()]
  if (chosen.length === 1) chosen.push(times - 1)
  return repeat(chosen.length, index => block(chosen[index] as number), config)
}

/** What a block is, but for the rates at which it drops. */
const sortOf = (block: AnyLayer): string =>
  JSON.stringify(toJson(model({ shape: [], dtype: 'float32' }, [block]) as unknown as AnyModel), (key, value: unknown) => (/[dD]rop(out|Path)?$|^rate$/.test(key) ? 0 : Array.isArray(value) && /^(dropPath|dropout|attentionDropout|tokenDropout)$/.test(String(value[0])) ? [value[0]] : value))
