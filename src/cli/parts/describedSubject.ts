import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { recipes, replicas, type Recipe, type Replica } from '../../../recipes/index.js'
import { readOptions } from '../../../recipes/kit/referenceConfig.js'
import { atResolution } from '../../graph/tree/atResolution.js'
import type { AnyModel } from '../../layers/core/model.js'
import { problem, type Problem } from '../../shape/problem.js'
import { nearest } from '../../shape/nearest.js'
import { embeddedWeights } from './embeddedWeights.js'
import type { Changes, Description, Subject } from './subject.js'

const published = recipes as unknown as Readonly<Record<string, Recipe>>
const families: Readonly<Record<string, (config: Description['config']) => Either<Problem, Replica>>> = replicas

/**
 * Builds the model of a description. Options are in our words (`imageSize`) or, all of them, in those of the
 * family's reference implementation (`img_size`). Errors: `unknownRecipe`, `unknownKeyword`, `badKeyword`,
 * `missingKeyword`.
 */
export const describedSubject = (id: string, { recipe: name, config: written }: Description, { config: changed, image }: Changes = {}): Either<Problem, Subject> => {
  const config = { ...written, ...changed }
  const isId = Object.hasOwn(published, name)
  if (!isId && !Object.hasOwn(families, name)) return left(unknown(name))
  const base = isId ? published[name]! : Object.values(published).find(({ family }) => family === name)!
  if (isForeign(base, config)) return replicated(id, isId ? base.family : name, config, image)
  const read = readOptions(isId ? name : base.family, config, base.options, isId ? [] : Object.keys(base.config))
  if (read._tag === 'Left') return read
  const options = { ...read.right, ...(image === undefined ? {} : { imageSize: image[0] === image[1] ? image[0] : image }) }
  const weights = Object.keys(options).length === 0 ? embeddedWeights(name) : undefined
  const { model, preprocessing, forms, pretexts, config: full } = Object.keys(options).length === 0 ? base : base.withConfig(options)
  return right({ id, model, preprocessing, ...(forms === undefined ? {} : { forms }), ...(pretexts === undefined ? {} : { pretexts }), description: { recipe: isId ? name : base.family, config: full as Description['config'] }, ...(weights === undefined ? {} : { weights }) })
}

/** Python's keywords have underscores where they have two words; our options never do. */
const isForeign = (base: Recipe, config: Description['config']): boolean => Object.keys(config).some(key => /^[a-z]+(_[a-z]*)+$/.test(key) && !Object.hasOwn(base.options, key))

const replicated = (id: string, family: string, config: Description['config'], image: Changes['image']): Either<Problem, Subject> => {
  const replica = families[family]!(config)
  if (replica._tag === 'Left') return replica
  const { model, preprocessing } = replica.right
  const sized = image === undefined ? right(model) : atResolution(model, image)
  if (sized._tag === 'Left') return sized
  // Another image size is not in the description, which therefore no longer holds.
  return right({ id, model: sized.right as AnyModel, preprocessing, ...(image === undefined ? { description: { recipe: family, config } } : {}) })
}

const unknown = (name: string): Problem => {
  const near = nearest(name, [...Object.keys(published), ...Object.keys(families)])
  const remedy = near === undefined ? '`vitrail list` shows all there are; a file must end in .ts, .js, .json or .safetensors' : `did you mean '${near}'?`
  return problem('unknownRecipe', `there is no recipe '${name}'`, { remedy })
}
