import type { Recipe } from '../../../recipes/kit/recipe.js'

type Config = Readonly<Record<string, unknown>>
type Rule = (value: unknown, config: Config, family: string) => unknown

const none = (value: unknown): boolean => value === undefined || value === 0
/** The first numbers, one for each stage there is. */
const stagewise = (numbers: readonly number[]): Rule => value => numbers.slice(0, (value as readonly unknown[]).length)
const halvings = ({ stageDepths, dims, depths }: Config): number => ((stageDepths ?? dims ?? depths) as readonly unknown[] | undefined)?.length ?? 0
const smallHeads = ({ numHeads }: Config): number => Math.min(typeof numHeads === 'number' ? numHeads : 3, 3)
const isSwin = ({ windowSize }: Config): boolean => windowSize !== undefined

/** Images a few places high and wide after everything that makes them smaller; no square where the family can do without. */
const images: Readonly<Record<string, (config: Config) => unknown>> = {
  vit: ({ positions }) => (positions === 'sinCos2d' ? 12 : [8, 12]),
  deit: () => [8, 12],
  mae: () => [16, 24],
  t2t: () => [32, 48],
  convit: () => 12,
  // Odd, so that no size halves evenly.
  hybrid: config => (config['stageDepths'] === undefined ? [16, 24] : halvings(config) === 3 ? [29, 45] : [61, 93]),
  // The last map is one window high, as in the published sizes.
  swin: config => (config['names'] === 'microsoft' ? [2 * 2 ** halvings(config), 4 * 2 ** halvings(config)] : [2 * 2 ** halvings(config), 3 * 2 ** halvings(config)]),
  coatnet: () => [64, 96],
}

/** What becomes of the options that are sizes. Options without a rule, the switches, stay as they are. */
const rules: Readonly<Record<string, Rule>> = {
  imageSize: (value, config, family) => images[family]?.(config) ?? (config['patchSize'] === undefined ? value : [8, 12]),
  patchSize: (value, config, family) => (value === 1 ? 1 : isSwin(config) || family === 'hybrid' ? 2 : 4),
  dim: (_, config) => (isSwin(config) ? 8 : 4 * smallHeads(config) * (config['positions'] === 'sinCos2d' ? 4 : 1)),
  numHeads: (value, config) => (Array.isArray(value) ? stagewise([1, 2, 4, 8])(value, config, '') : smallHeads(config)),
  depth: (_, { localLayers, pruneAt }) => (localLayers === undefined && pruneAt === undefined ? 3 : 4),
  localLayers: () => 2,
  numClasses: value => (value === 0 ? 0 : 7),
  preLogits: value => (none(value) ? value : 5),
  windowSize: (_, { names }) => (names === 'microsoft' ? 2 : [2, 3]),
  depths: (value, config) => (isSwin(config) ? stagewise([2, 2, 2, 2]) : (depths: unknown) => (depths as readonly number[]).map(depth => Math.min(depth, 2)))(value, config, ''),
  dims: stagewise([8, 16, 24, 32]),
  stemDims: value => (Array.isArray(value) ? [4, 8] : 8),
  headDim: () => 8,
  positionDim: () => 6,
  stageDepths: stagewise([1, 2, 1, 2]),
  stageDims: stagewise([32, 64, 96, 128]),
  stemDim: () => 16,
  numGroups: () => 4,
  tokenDim: () => 8,
  superDim: () => 32,
  superDepth: () => 4,
  superHeads: () => 4,
  decoderDim: () => 16,
  decoderDepth: () => 2,
  decoderNumHeads: () => 2,
  embedDim: () => 6,
  textDim: () => 8,
  textDepth: () => 2,
  textNumHeads: () => 2,
  vocabularySize: () => 11,
  contextLength: () => 5,
  pruneAt: stagewise([1, 2, 3]),
  keep: stagewise([5, 4, 2]),
}

/** Options that have a size as their default, by family. */
const defaults: Readonly<Record<string, (config: Config) => Config>> = {
  convit: () => ({ localLayers: 10 }),
  coatnet: () => ({ headDim: 32, positionDim: 512 }),
  lvvit: () => ({ stemDim: 64 }),
  dynamicvit: ({ backbone }) => (backbone === 'lvvit' ? { stemDim: 64 } : {}),
  autoformer: () => ({ headDim: 64 }),
  mae: () => ({ decoderDim: 512, decoderDepth: 8, decoderNumHeads: 16 }),
  t2t: () => ({ tokenDim: 64 }),
  clip: () => ({ vocabularySize: 49408, contextLength: 77 }),
  hybrid: ({ stageDepths }) => ({ stemDim: 64, numGroups: 32, ...(stageDepths === undefined ? {} : { stageDims: stageDepths }) }),
}

/**
 * The options that make a published recipe small, for `recipe.withConfig`: a few blocks of a few channels on a few
 * patches. All its switches stay, and so do its stages, shifted windows, tokens and heads; sizes are unequal, so that
 * no two axes agree by chance.
 *
 * @example
 * reducedConfig({ family: 'vit', config: { imageSize: 224, patchSize: 16, dim: 192, depth: 12, numHeads: 3 } }) // { imageSize: [8, 12], patchSize: 4, dim: 12, depth: 3, numHeads: 3, numClasses: 7 }
 */
export const reducedConfig = ({ family, config, options }: Pick<Recipe, 'family' | 'config'> & Partial<Pick<Recipe, 'options'>>): Config => {
  const whole: Config = { numClasses: 1000, ...defaults[family]?.(config as Config), ...(config as Config) }
  const order = [...Object.keys(config), ...Object.keys(whole).filter(name => !(name in config))]
  return Object.fromEntries(order.filter(name => rules[name] !== undefined && (options === undefined || name in options)).map(name => [name, rules[name]!(whole[name], whole, family)]))
}
