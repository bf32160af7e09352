import { decoderBlock, fanOut, field, layerNorm, linear, named, queryTokens, relu, repeat, serial, sigmoid, unnamed, type Add, type AnyLayer, type DecoderBlockConfig, type QueryKind } from '../../src/index.js'
import { option } from './recipe.js'

/** The options of a detector, those of its decoder's blocks among them. */
export interface DetectorConfig extends DecoderBlockConfig<number> {
  /** Channels of the decoder. */
  readonly dim: number
  /** How many objects there can be in an image. */
  readonly numQueries: number
  readonly depth: number
  /** Kinds of objects; one more score says that a query found none. */
  readonly numClasses: number
  /** What of the queries is learned (default `tokens`; DETR's are `positions`). */
  readonly queries?: QueryKind
}

/** The classes, and one for no object; no classes stay none, which the layer of scores refuses. */
const oneMore = <const N extends number>(numClasses: N): Add<N, 1> => (numClasses < 1 ? numClasses : numClasses + 1) as Add<N, 1>

/**
 * Any backbone that gives tokens, and a decoder that asks them for objects (Carion et al., 2020, "DETR", section 3.2):
 * for each query scores of classes, the last being "no object", and a box. `[height, width, channels] → { logits:
 * [queries, numClasses + 1], boxes: [queries, 4] }`, a box being the centre's x and y, width and height, all as shares of
 * the image. Trained by `losses.setLoss` of what `matchQueries` pairs. DETR also adds positions of the map to the keys
 * (`memoryPositions` of a `decoderBlock`) and trains what every block gives; here it is what the last one gives.
 *
 * Parameters: the backbone's own; `input_proj`, `query_embed.weight [queries, dim]`, `transformer.decoder.layers.0…`,
 * `transformer.decoder.norm`, `class_embed`, `bbox_embed.layers.0` to `2`, as DETR's (whose `input_proj` is a convolution).
 * Errors: those of the backbone; `expectsTokens`, `headsDoNotSplit`, `notASize`, `unknownOption`, `notARate`, `notAnAmount`.
 *
 * @example
 * pipe(input(224, 224, 3), detector(vitTokens({ patchSize: 16, dim: 192, depth: 12, numHeads: 3, classToken: false }), { dim: 256, numQueries: 100, depth: 6, numHeads: 8, numClasses: 80 })) // Model<[224, 224, 3], { logits: [100, 81], boxes: [100, 4] }>
 */
export const detector = <B extends AnyLayer, const C extends DetectorConfig>(backbone: B, config: C) => {
  const { depth, epsilon = 1e-6, mlpRatio = 4, hiddenDim, activation = 'gelu', normPlacement = 'pre', dropout = 0 } = config
  const dim: C['dim'] = config.dim
  const block = decoderBlock({ numHeads: config.numHeads as C['numHeads'], mlpRatio, activation, normPlacement, epsilon, dropout, ...(hiddenDim === undefined ? {} : { hiddenDim }) })
  const boxes = serial(named('layers.0', linear(dim)), relu(), named('layers.1', linear(dim)), relu(), named('layers.2', linear(4)))
  return serial(
    backbone,
    named('input_proj', linear(dim)),
    queryTokens(config.numQueries as C['numQueries'], { kind: option(config, 'queries', 'tokens') }),
    named('transformer.decoder.layers', repeat(depth as C['depth'], block)),
    field('x'),
    named('transformer.decoder.norm', layerNorm({ epsilon })),
    fanOut({ logits: unnamed(named('class_embed', linear(oneMore(config.numClasses as C['numClasses'])))), boxes: unnamed(serial(named('bbox_embed', boxes), sigmoid())) }),
  )
}
