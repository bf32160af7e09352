import type { AnyModel } from '../../layers/core/model.js'
import type { BatchOptions } from '../data/batch.js'
import type { TrainSettings } from '../loop/trainOptions.js'

/** Where samples come from. Paths are from the folder of the configuration file. */
export type DataSource =
  /** A folder with a folder of images for each class; `classes` are their names in another order than that of code points. */
  | { readonly kind: 'folder'; readonly path: string; readonly classes?: readonly string[] }
  /** Two IDX files (the MNIST family), gzipped or not. */
  | { readonly kind: 'idx'; readonly images: string; readonly labels: string; readonly classes?: readonly string[] }
  /** A folder of the binary version of CIFAR-10. */
  | { readonly kind: 'cifar10'; readonly path: string; readonly part?: 'train' | 'test' }
  /** A file of pairs, a line each: JSON `{ "image": …, "text": … }` (.jsonl), or a path, a tab and a text (.tsv). Images lie in `images` (default: the folder of the file). */
  | { readonly kind: 'captions'; readonly path: string; readonly images?: string }
  /** A folder of the binary version of CIFAR-100. */
  | { readonly kind: 'cifar100'; readonly path: string; readonly part?: 'train' | 'test'; readonly classes?: 'fine' | 'coarse' }

/** What is learned from, and how images become what the model takes; what is left out is the recipe's. */
export type DataConfig = DataSource &
  Pick<BatchOptions, 'mean' | 'std' | 'crop' | 'interpolation' | 'workers' | 'prefetch'> & {
    /** Other samples to validate on, or a share of these. */
    readonly validation?: DataSource | number
  }

/** A published recipe or a file, with options of the recipe changed. */
export interface ModelConfig {
  readonly recipe: string
  readonly config?: Readonly<Record<string, unknown>>
}

/** A recipe as a TypeScript file imports it from `vitrail/recipes`. */
export interface WrittenRecipe {
  readonly family: string
  /** Its options, which weight files say. */
  readonly config?: object
  readonly model: AnyModel
  readonly forms?: Readonly<Record<string, () => AnyModel>>
  readonly pretexts?: Readonly<Record<string, (options: Readonly<Record<string, unknown>>) => AnyModel>>
  readonly preprocessing: { readonly mean: readonly number[]; readonly std: readonly number[]; readonly crop: number }
}

/** Weights to begin with that need not fit in every part: tables are resized, what is missing is drawn. */
export interface PartialWeights {
  readonly file: string
  readonly partial: true
}

/** A teacher as a file writes it down: a model with its weights, or what one was recorded to say (`vitrail teach`). */
export interface DistantTeacher {
  /** An id, a file, or a recipe with options. */
  readonly model?: string | ModelConfig
  /** Its weights (default: those that come with the model). */
  readonly weights?: string
  /** Where it runs (default `wasm`). */
  readonly backend?: string
  /** The feature that holds its tokens, where they are learned from. */
  readonly tokens?: string
  /** A file of what it said. */
  readonly recorded?: string
}

/** A training as a file writes it down. */
export interface TrainingConfig extends TrainSettings {
  /** Where its settings come from, for people. */
  readonly source?: string | readonly string[]
  /** An id (`vitrail list`), a file, a recipe with options, or in a TypeScript file a recipe or a model itself. */
  readonly model: string | ModelConfig | AnyModel | WrittenRecipe
  readonly data: DataConfig
  /** A safetensors file to begin with (default: drawn by the seed). */
  readonly weights?: string | PartialWeights
  /** Patterns of paths of parameters that stay as they are: `patch_embed`, `blocks.{0..5}`. */
  readonly freeze?: readonly string[]
}

/**
 * A training for `vitrail train`, checked by the compiler as it is written: the default export of a configuration file.
 *
 * @example
 * defineTraining({ model: 'vit_fashion_mnist', data: { kind: 'folder', path: 'images', validation: 0.1 }, epochs: 10, batchSize: 64, optimiser: { name: 'adamw' }, schedule: { name: 'cosine', config: { rate: 0.001 } } }).epochs // 10
 */
export const defineTraining = (config: TrainingConfig): TrainingConfig => config
