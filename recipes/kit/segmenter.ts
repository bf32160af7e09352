import { batchNorm, conv2d, featurePyramid, joinLevels, linear, named, relu, serial, upsample, type AnyLayer, type Layer, type Linear, type Serial, type Upsample } from '../../src/index.js'

/** What every decoder of a segmenter has to know. */
export interface DecoderConfig {
  readonly numClasses: number
  /** How many pixels of the image a place of the (finest) map is high and wide: the patch size of a ViT, 4 for a Swin's first stage. */
  readonly factor: number
}

/**
 * Any backbone that gives a map (or levels, by `expose`), and a decoder that gives classes of pixels, under `decoder`. The
 * backbone's parameters keep their names, so that its checkpoints load (`loadPartialWeights`).
 * `[height, width, channels] → [height, width, numClasses]`.
 *
 * @example
 * pipe(input(224, 224, 3), segmenter(serial(vitTokens({ patchSize: 16, dim: 192, depth: 12, numHeads: 3 }), tokensToMap({ prefixTokens: 1 })), linearDecoder({ numClasses: 150, factor: 16 }))) // Model<[224, 224, 3], [224, 224, 150]>
 */
export const segmenter = <B extends AnyLayer, D extends AnyLayer>(backbone: B, decoder: D) => serial(backbone, named('decoder', decoder))

/**
 * Scores of classes from each place alone, interpolated (Strudel et al., 2021, "Segmenter", section 3.2).
 * `[rows, columns, channels] → [factor·rows, factor·columns, numClasses]`.
 *
 * Parameters: `head.weight [numClasses, channels]`, `head.bias`.
 *
 * @example
 * pipe(input(14, 14, 192), linearDecoder({ numClasses: 150, factor: 16 })) // Model<[14, 14, 192], [224, 224, 150]>
 */
export const linearDecoder = <const C extends DecoderConfig>({ numClasses, factor }: C) => serial(named('head', linear(numClasses as C['numClasses'])), upsample(factor as C['factor']))

/** A 3×3 convolution, a norm and a rectifier: `conv.weight`, `norm.weight` and so on. */
const convolved = <const D extends number>(dim: D) => serial(named('conv', conv2d({ dim, kernelSize: 3, padding: 1, bias: false })), named('norm', batchNorm()), relu())

/** The factors by which a map grows to the size of the image: doublings, and last what they leave. */
const growth = (factor: number): readonly number[] => (factor % 2 === 0 && factor > 2 ? [2, ...growth(factor / 2)] : [factor])

/**
 * Convolutions and doublings in turn up to the size of the image, and then scores (Zheng et al., 2021, "SETR", section
 * 3.3, progressive upsampling). `[rows, columns, channels] → [factor·rows, factor·columns, numClasses]`.
 *
 * Parameters: `steps.0.conv.weight [dim, channels, 3, 3]`, `steps.0.norm` and so on, one step for each doubling and for
 * an odd factor that is left; `head.weight [numClasses, dim]`, `head.bias`.
 *
 * @example
 * pipe(input(14, 14, 192), upsamplingDecoder({ numClasses: 150, factor: 16, dim: 256 })) // Model<[14, 14, 192], [224, 224, 150]>
 */
export const upsamplingDecoder = <const C extends DecoderConfig & { readonly dim: number }>({ numClasses, factor, dim }: C) => {
  const steps = growth(factor).map((by, i) => serial(named(`steps.${i}`, convolved(dim)), upsample(by)))
  // Together the steps are one map to `dim` channels, and one enlargement: all that the compiler has to know.
  const upward = serial(...steps) as unknown as Layer<Serial<readonly [Layer<Linear<C['dim']>>, Layer<Upsample<C['factor']>>]>>
  return serial(upward, named('head', linear(numClasses as C['numClasses'])))
}

/**
 * Scores from all levels of a hierarchical backbone: a feature pyramid, its levels joined at the finest, one convolution
 * (Xiao et al., 2018, "UPerNet", figure 4, without the pooling of the last level), and the scores interpolated.
 * `{ level: [rows, columns, channels] } → [factor·rows, factor·columns, numClasses]`; levels in alphabetical order.
 *
 * Parameters: those of `featurePyramid` under `fpn`; `fuse.conv.weight [dim, levels·dim, 3, 3]`, `fuse.norm`; `head`.
 *
 * @example
 * pipe(inputs({ p2: input(56, 56, 96), p3: input(28, 28, 192) }), pyramidDecoder({ numClasses: 150, factor: 4, dim: 256 })) // Model<{ p2: [56, 56, 96], p3: [28, 28, 192] }, [224, 224, 150]>
 */
export const pyramidDecoder = <const C extends DecoderConfig & { readonly dim: number }>({ numClasses, factor, dim }: C) =>
  serial(featurePyramid({ dim: dim as C['dim'] }), joinLevels(), named('fuse', convolved(dim as C['dim'])), linearDecoder<C>({ numClasses, factor } as C))
