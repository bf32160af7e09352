import { right, type Either } from 'fp-ts/lib/Either.js'
import { fanOut, linear, merge, parallel, serial, takeToken, type AnyModel, type Problem } from '../src/index.js'
import { imagenetPreprocessing, imageModel, option, type ImageInput, type ImageModel, type Recipe, type Replica } from './kit/recipe.js'
import type { RawConfig } from './kit/referenceConfig.js'
import { readTimmConfig, vit, vitOptions, vitPretexts, vitTokens, type VitConfig } from './vit.js'

/*
 * DeiT: "Training data-efficient image transformers & distillation through attention" (Touvron et al.,
 * 2020, arXiv 2012.12877): a ViT, and a distilled one with a second token and head. DeiT III: "Revenge of
 * the ViT" (Touvron et al., 2022, arXiv 2204.07118): LayerScale, and positions on patches only.
 */

/**
 * A distilled DeiT as a layer over images, as it is evaluated: the mean of the class token's head and the
 * distillation token's. `[height, width, channels] → [numClasses]`.
 *
 * @example
 * pipe(input(224, 224, 3), deitDistilled({ patchSize: 16, dim: 192, depth: 12, numHeads: 3 })) // Model<[224, 224, 3], [1000]>
 */
export const deitDistilled = <const C extends VitConfig>(config: C) => serial(deitTraining(config), merge('average'))

/**
 * A distilled DeiT as a layer over images, as it is trained: what each head gives, of which the second learns from a
 * teacher. `[height, width, channels] → { head: [numClasses], head_dist: [numClasses] }`.
 *
 * @example
 * pipe(input(224, 224, 3), deitTraining({ patchSize: 16, dim: 192, depth: 12, numHeads: 3 })) // Model<[224, 224, 3], { head: [1000], head_dist: [1000] }>
 */
export const deitTraining = <const C extends VitConfig>(config: C) => {
  const classes = option(config, 'numClasses', 1000)
  return serial(
    vitTokens({ ...config, distilled: true } as C & { readonly distilled: true }),
    fanOut({ head: takeToken(0), head_dist: takeToken(1) }),
    parallel({ head: linear(classes), head_dist: linear(classes) }),
  )
}

const source = 'Touvron et al., 2020, arXiv 2012.12877, and 2022, arXiv 2204.07118; names as timm'

const deitRecipe = <const C extends VitConfig & ImageInput>(config: C): Recipe<ImageModel<C, ReturnType<typeof vit<C>>>> => ({
  family: 'deit',
  source,
  config: { ...config },
  options: vitOptions,
  model: imageModel(config, () => vit(config)),
  preprocessing: imagenetPreprocessing,
  pretexts: vitPretexts(config),
  withConfig: changes => eitherRecipe({ ...config, ...changes }),
})

/** What the reference calls outputs and we find inside. */
const outputs = { tokens: 'norm', logits_cls: 'head', logits_dist: 'head_dist' } as const

const distilledRecipe = <const C extends VitConfig & ImageInput>(config: C): Recipe<ImageModel<C, ReturnType<typeof deitDistilled<C>>>> => ({
  family: 'deit',
  source,
  config: { ...config, distilled: true },
  options: vitOptions,
  model: imageModel(config, () => deitDistilled(config)),
  preprocessing: imagenetPreprocessing,
  outputs,
  forms: { distillation: () => imageModel(config, () => deitTraining(config)) as unknown as AnyModel },
  withConfig: changes => eitherRecipe({ ...config, distilled: true, ...changes }),
})

/** For sizes known at run time only. */
const eitherRecipe = (config: VitConfig & ImageInput): Recipe => (config.distilled === true ? distilledRecipe(config) : deitRecipe(config)) as unknown as Recipe

const tiny = { patchSize: 16, dim: 192, depth: 12, numHeads: 3 } as const
const small = { patchSize: 16, dim: 384, depth: 12, numHeads: 6 } as const
const medium = { patchSize: 16, dim: 512, depth: 12, numHeads: 8 } as const
const base = { patchSize: 16, dim: 768, depth: 12, numHeads: 12 } as const
const large = { patchSize: 16, dim: 1024, depth: 24, numHeads: 16 } as const
const huge = { patchSize: 14, dim: 1280, depth: 32, numHeads: 16 } as const
/** What DeiT III changed. */
const third = { layerScale: 1e-6, prefixPositions: false } as const

/** The published DeiTs. */
export const deitRecipes = {
  deit_tiny_patch16_224: deitRecipe({ imageSize: 224, ...tiny }),
  deit_small_patch16_224: deitRecipe({ imageSize: 224, ...small }),
  deit_base_patch16_224: deitRecipe({ imageSize: 224, ...base }),
  deit_base_patch16_384: deitRecipe({ imageSize: 384, ...base }),
  deit_tiny_distilled_patch16_224: distilledRecipe({ imageSize: 224, ...tiny }),
  deit_small_distilled_patch16_224: distilledRecipe({ imageSize: 224, ...small }),
  deit_base_distilled_patch16_224: distilledRecipe({ imageSize: 224, ...base }),
  deit_base_distilled_patch16_384: distilledRecipe({ imageSize: 384, ...base }),
  deit3_small_patch16_224: deitRecipe({ imageSize: 224, ...small, ...third }),
  deit3_small_patch16_384: deitRecipe({ imageSize: 384, ...small, ...third }),
  deit3_medium_patch16_224: deitRecipe({ imageSize: 224, ...medium, ...third }),
  deit3_base_patch16_224: deitRecipe({ imageSize: 224, ...base, ...third }),
  deit3_base_patch16_384: deitRecipe({ imageSize: 384, ...base, ...third }),
  deit3_large_patch16_224: deitRecipe({ imageSize: 224, ...large, ...third }),
  deit3_large_patch16_384: deitRecipe({ imageSize: 384, ...large, ...third }),
  deit3_huge_patch14_224: deitRecipe({ imageSize: 224, ...huge, ...third }),
} as const

/** The model a reference recording of system `deit` was made by. */
export const deitReplica = (config: RawConfig): Either<Problem, Replica> => {
  const read = readTimmConfig('deit', config)
  if (read._tag === 'Left') return read
  return right({ model: eitherRecipe(read.right).model, outputs, preprocessing: imagenetPreprocessing })
}
