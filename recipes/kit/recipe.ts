import { model, type AnyModel, type InputSpec, type MadeOf, type Model } from '../../src/layers/core/model.js'
import type { Graph, Tensor } from '../../src/index.js'
import type { AnyLayer, ShapeFunctionOf } from '../../src/layers/core/layer.js'
import type { Apply } from '../../src/shape/shapeFunction.js'
import type { Kind } from './referenceConfig.js'
import { pairOf, type HeightOf, type Pair, type WidthOf } from '../../src/shape/patches.js'

/** How an image becomes what a model was trained on. */
export interface Preprocessing {
  /** Taken off each channel after scaling to 0…1, and then divided by `std`. */
  readonly mean: readonly number[]
  readonly std: readonly number[]
  /** The part of the shorter side that the central crop keeps. */
  readonly crop: number
}

/** Google's ViT weights: 0.5 everywhere, so that pixels run from −1 to 1. */
export const inceptionPreprocessing: Preprocessing = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5], crop: 0.9 }

/** ImageNet's own statistics. */
export const imagenetPreprocessing: Preprocessing = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], crop: 0.9 }

/** Fashion-MNIST's own statistics. */
export const fashionMnistPreprocessing: Preprocessing = { mean: [0.286], std: [0.353], crop: 1 }

/** Images of Fashion-MNIST in patches of 4, and the sizes that most of our own models of them share. */
export const onFashionMnist = { imageSize: 28, channels: 1, patchSize: 4, dim: 64, depth: 6, numHeads: 4, mlpRatio: 2 } as const

/** A published model: an architecture with its sizes, under the name its weights are known by. */
export interface Recipe<M = AnyModel> {
  readonly family: string
  /** Where the architecture and the sizes come from. */
  readonly source: string
  readonly config: object
  /** What its options may be, for configurations that come from files. */
  readonly options: Readonly<Record<string, Kind>>
  readonly model: M
  readonly preprocessing: Preprocessing
  /** Outputs of the reference that are inner outputs of ours, by name. */
  readonly outputs?: Readonly<Record<string, string>>
  /** Outputs of the reference that are computed from a graph of ours, such as a loss. */
  readonly computed?: Computed
  /** Other forms of the model with the same parameters, by the objective that trains them: two heads apart, say. */
  readonly forms?: Readonly<Record<string, () => AnyModel>>
  /** What learns something else with most of its parameters, by the objective: see `pretexts`. Its weights are then fine-tuned. */
  readonly pretexts?: Pretexts
  /** The same recipe with some options changed. */
  readonly withConfig: (changes: Readonly<Record<string, unknown>>) => Recipe
}

/**
 * What a reference gives beside the outputs of its model, from the graph of ours. `samples` says how many each input was
 * given; where they differ, the graph runs on as many as the most, and what is beyond an input's own is to be left out.
 */
export type Computed = (graph: Graph, samples: Readonly<Record<string, number>>) => Readonly<Record<string, Tensor>>

/** Models that self-supervision trains, by the name of the objective, given its options. */
export type Pretexts = Readonly<Record<string, (options: Readonly<Record<string, unknown>>) => AnyModel>>

/** A model found in a reference implementation's own words, and where its outputs are in ours. */
export interface Replica {
  readonly model: AnyModel
  /** Recorded outputs that are inner outputs of ours, by name. All others are looked up as they are. */
  readonly outputs: Readonly<Record<string, string>>
  /** Recorded outputs that are computed from our graph, such as a loss. */
  readonly computed?: Computed
  readonly preprocessing: Preprocessing
}

/** The options of an image model that fix its input. */
export interface ImageInput {
  /** Pixels, one number or `[height, width]`. */
  readonly imageSize: Pair
  /** Colour channels (default 3). */
  readonly channels?: number
}

/** The value of an option, or what it is when absent, on types. */
export type Field<C, K extends string, D> = C extends { readonly [P in K]: infer V } ? V : D

/** The value of an option, or what it is when absent; as precise as the compiler knows it. */
export const option = <const C extends object, const K extends string, const D extends string | number | boolean>(config: C, key: K, fallback: D): Field<C, K, D> & Wide<D> =>
  ((config as Readonly<Record<string, unknown>>)[key] ?? fallback) as never
type Wide<D> = D extends string ? string : D extends number ? number : boolean

/** The shape of an image model's input. */
export type ImageOf<C extends ImageInput> = readonly [HeightOf<C['imageSize']>, WidthOf<C['imageSize']>, Field<C, 'channels', 3> & number]

/** The model a layer makes of images. */
export type ImageModel<C extends ImageInput, L extends AnyLayer> = Model<ImageOf<C>, Apply<ShapeFunctionOf<L>, ImageOf<C>>> & MadeOf<L>

/**
 * A layer over an image, as a model. For generic configs, whose shapes the compiler knows only once they are given. The layer
 * is made when the model is first looked at: of the many recipes that are imported, one is used.
 */
export const imageModel = <const C extends ImageInput, L extends AnyLayer>(config: C, layer: () => L): ImageModel<C, L> => {
  const [height, width] = pairOf(config.imageSize)
  const spec: InputSpec = { shape: [height, width, config.channels ?? 3], dtype: 'float32' }
  return model(spec, () => [layer()])
}
