import type { DecoderBlockConfig } from '../../layers/decoderBlock.js'
import type { FeaturePyramidConfig } from '../../layers/featurePyramid.js'
import type { JoinLevelsConfig } from '../../layers/joinLevels.js'
import type { QueryKind, QueryTokensConfig } from '../../layers/queryTokens.js'
import type { TokensToMapConfig } from '../../layers/tokensToMap.js'
import type { UpsampleConfig } from '../../layers/upsample.js'
import { activate } from './activations.js'
import { crossAttention } from './attention.js'
import { layerNormed, mapped, onArray } from './channels.js'
import { convolved, resized } from './maps.js'
import { at, each, numbers, partsOf, plus, shaped, stacked, type Numbers } from './numbers.js'
import type { Place, Run } from './oracle.js'

// What decoders are made of: queries, their blocks, pyramids, and maps made of tokens and made larger.

type Maps = Readonly<Record<string, Numbers>>

export const tokensToMap = (_: Place, { prefixTokens = 0, grid }: TokensToMapConfig<number, number, number> = {}): Run =>
  onArray(x => {
    const patches = stacked(partsOf(x).slice(prefixTokens))
    const side = Math.round(Math.sqrt(patches.shape[0]!))
    return shaped(patches, ...(grid ?? [side, side]), x.shape[1]!)
  })

export const upsample = (_: Place, factor: number, { kind = 'bilinear' }: UpsampleConfig = {}): Run => onArray(x => resized(x, factor * x.shape[0]!, factor * x.shape[1]!, kind))

export const queryTokens = (place: Place, count: number, { kind = 'tokens' }: QueryTokensConfig<QueryKind> = {}): Run => memory => {
  const learned = place.weight('query_embed.weight', count, (memory as Numbers).shape[1]!)
  return kind === 'tokens' ? { x: learned, memory } : { x: each(learned, () => 0), memory, positions: learned }
}

/** PyTorch's `TransformerDecoderLayer`, with the positions of DETR's. */
export const decoderBlock = (place: Place, config: DecoderBlockConfig<number>): Run => {
  const { numHeads, mlpRatio = 4, activation = 'gelu', normPlacement = 'pre', epsilon = 1e-6 } = config
  const [among, to] = [crossAttention(place.at('self_attn'), { numHeads }), crossAttention(place.at('multihead_attn'), { numHeads })]
  return record => {
    const { x, memory, positions, memoryPositions } = record as Maps as { readonly x: Numbers; readonly memory: Numbers; readonly positions?: Numbers; readonly memoryPositions?: Numbers }
    const dim = x.shape[1]!
    const hidden = config.hiddenDim ?? Math.floor(dim * mlpRatio)
    const placed = (t: Numbers, where: Numbers | undefined): Numbers => (where === undefined ? t : plus(t, where))
    const steps = [
      (t: Numbers): Numbers => among({ x: placed(t, positions), memory: t, keys: placed(t, positions) }) as Numbers,
      (t: Numbers): Numbers => to({ x: placed(t, positions), memory, keys: placed(memory, memoryPositions) }) as Numbers,
      (t: Numbers): Numbers => mapped(each(mapped(t, place.at('linear1'), hidden, true), activate[activation]), place.at('linear2'), dim, true),
    ]
    const normed = (t: Numbers, i: number): Numbers => layerNormed(t, place.at(`norm${i + 1}`), epsilon)
    const step = (t: Numbers, f: (t: Numbers) => Numbers, i: number): Numbers => (normPlacement === 'pre' ? plus(t, f(normed(t, i))) : normed(plus(t, f(t)), i))
    return { ...(record as Maps), x: steps.reduce(step, x) }
  }
}

const inOrder = (levels: Maps): readonly (readonly [string, Numbers])[] => Object.entries(levels).sort(([a], [b]) => (a < b ? -1 : 1))

/** Lin et al., 2017, section 3, from the coarsest level up. */
export const featurePyramid = (place: Place, { dim, kind = 'nearest' }: FeaturePyramidConfig<number>): Run => record => {
  const levels = inOrder(record as Maps)
  const made: Record<string, Numbers> = {}
  let above: Numbers | undefined
  for (let i = levels.length - 1; i >= 0; i--) {
    const [name, map] = levels[i]!
    const [inner, smooth] = [place.at(`inner_blocks.${i}.0`), place.at(`layer_blocks.${i}.0`)]
    const lateral = convolved(map, inner.weight('weight', dim, map.shape[2]!, 1, 1), inner.weight('bias', dim), [1, 1], 0)
    above = above === undefined ? lateral : plus(lateral, resized(above, map.shape[0]!, map.shape[1]!, kind))
    made[name] = convolved(above, smooth.weight('weight', dim, dim, 3, 3), smooth.weight('bias', dim), [1, 1], 1)
  }
  return Object.fromEntries(Object.keys(record).map(name => [name, made[name]!]))
}

export const joinLevels = (_: Place, { kind = 'bilinear' }: JoinLevelsConfig = {}): Run => record => {
  const maps = inOrder(record as Maps).map(([, map]) => map)
  const [rows, columns] = maps[0]!.shape as readonly [number, number]
  const sized = maps.map(map => resized(map, rows, columns, kind))
  const channels = sized.flatMap((map, i) => Array.from({ length: map.shape[2]! }, (_, c) => [i, c] as const))
  return numbers([rows, columns, channels.length], (row, column, channel) => at(sized[channels[channel]![0]]!, row, column, channels[channel]![1]))
}
