import { existsSync } from 'node:fs'
import { extname } from 'node:path'
import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Recipe } from '../../../recipes/index.js'
import { atResolution } from '../../graph/tree/atResolution.js'
import { readOptions } from '../../../recipes/kit/referenceConfig.js'
import { fromJson as modelFromJson } from '../../exporters/json/fromJson.js'
import { isModel, type AnyModel } from '../../layers/core/model.js'
import { problem, type Problem } from '../../shape/problem.js'
import { openSafetensors } from '../../weights/openSafetensors.js'
import { describedSubject } from './describedSubject.js'
import { loadModule } from './loadModule.js'
import { readJson, type JsonObject } from './readJson.js'
import type { Changes, Subject } from './subject.js'

const isCode = (file: string): boolean => /\.[mc]?[jt]s$/.test(file)

/**
 * All models a command was pointed at: those a code file exports, or the one of an id, a JSON file (a recipe with
 * options, or a model layer by layer) or a weight file. `FILE#name` picks one export.
 *
 * Errors: those of `describedSubject` and `loadModule`; `noModel` (a file that exports none, or not the one
 * asked for), `noOptions` (a model is no recipe, whose options could be changed), `notJson`, `notAnObject`, `notADescription`
 * (a JSON file that names no recipe), `notSelfDescribing` (a weight file without a recipe in its metadata).
 */
const all = (target: string, changes: Changes = {}): TaskEither<Problem, readonly Subject[]> => async () => {
  const [file, picked] = split(target)
  if (isCode(file)) {
    const loaded = await loadModule(file)()
    return loaded._tag === 'Left' ? loaded : exported(file, picked, loaded.right, changes)
  }
  const one = extname(file) === '.json' ? await fromJson(file, changes) : extname(file) === '.safetensors' ? await fromWeights(file, changes) : describedSubject(target, { recipe: target, config: {} }, changes)
  return one._tag === 'Left' ? one : right([one.right])
}

/** The one model a command was pointed at. Errors: as {@link all}; `severalModels`, with their names. */
const one = (target: string, changes: Changes = {}): TaskEither<Problem, Subject> => async () => {
  const found = await all(target, changes)()
  if (found._tag === 'Left') return found
  const [first, ...others] = found.right
  return others.length === 0 ? right(first!) : left(problem('severalModels', `${target}: exports ${found.right.length} models`, { remedy: `choose one: ${found.right.map(({ id }) => id).join(', ')}` }))
}

/** What a command's `FILE|ID` argument means. */
export const subjects = { all, one } as const

const split = (target: string): readonly [file: string, picked: string | undefined] => {
  const at = target.lastIndexOf('#')
  return at < 0 || existsSync(target) ? [target, undefined] : [target.slice(0, at), target.slice(at + 1)]
}

const isRecipe = (value: unknown): value is Recipe => typeof value === 'object' && value !== null && 'withConfig' in value && isModel((value as Recipe).model)

const exported = (file: string, picked: string | undefined, exports: Readonly<Record<string, unknown>>, changes: Changes): Either<Problem, readonly Subject[]> => {
  const models = Object.entries(exports).filter(([, value]) => isModel(value) || isRecipe(value))
  // A default export is often a named one again.
  const distinct = models.filter(([name, value]) => name !== 'default' || !models.some(([other, same]) => other !== 'default' && same === value))
  const chosen = picked === undefined ? distinct : models.filter(([name]) => name === picked)
  if (chosen.length === 0) {
    const names = Object.keys(exports)
    const remedy = distinct.length > 0 ? `it exports ${distinct.map(([name]) => name).join(', ')}` : names.length === 0 ? 'it exports nothing' : `it exports ${names.join(', ')}, none of them a model`
    return left(problem('noModel', `${file}: exports no model${picked === undefined ? '' : ` called '${picked}'`}`, { remedy }))
  }
  const made: Subject[] = []
  for (const [name, value] of chosen) {
    const id = picked === undefined && distinct.length === 1 ? file : `${file}#${name}`
    const subject = isRecipe(value) ? fromRecipe(id, value, changes) : fromModel(id, value, changes)
    if (subject._tag === 'Left') return subject
    made.push({ ...subject.right, exported: name })
  }
  return right(made)
}

const fromRecipe = (id: string, recipe: Recipe, { config = {}, image }: Changes): Either<Problem, Subject> => {
  const read = readOptions(id, config, recipe.options)
  if (read._tag === 'Left') return read
  const { model, preprocessing, forms, pretexts } = recipe.withConfig({ ...read.right, ...(image === undefined ? {} : { imageSize: image }) })
  return right({ id, model, preprocessing, ...(forms === undefined ? {} : { forms }), ...(pretexts === undefined ? {} : { pretexts }) })
}

const fromModel = (id: string, value: unknown, { config, image }: Changes): Either<Problem, Subject> => {
  if (!isModel(value)) return left(problem('noModel', `${id}: is no model`))
  if (config !== undefined) return left(problem('noOptions', `${id}: is a model, which has no options to change`, { remedy: 'export a recipe, or describe the model in a .json file' }))
  const sized = image === undefined ? right(value) : atResolution(value, image)
  return sized._tag === 'Left' ? sized : right({ id, model: sized.right as AnyModel })
}

const fromJson = async (file: string, changes: Changes): Promise<Either<Problem, Subject>> => {
  const text = await readJson.text(file)()
  if (text._tag === 'Left') return text
  const value = readJson.object(text.right, file)
  if (value._tag === 'Left') return value
  if (!('layers' in value.right)) return described(file, value.right, changes)
  const model = modelFromJson(value.right)
  return model._tag === 'Left' ? left({ ...model.left, sentence: `${file}: ${model.left.sentence}` }) : fromModel(file, model.right, changes)
}

const described = (file: string, { recipe, config = {}, ...rest }: JsonObject, changes: Changes): Either<Problem, Subject> => {
  const extra = Object.keys(rest)
  if (typeof recipe !== 'string') return left(problem('notADescription', `${file}: has no recipe`, { remedy: 'write { "recipe": "vit", "config": { … } } (`vitrail list` shows recipes), or { "input": […], "layers": […] }' }))
  if (extra.length > 0) return left(problem('unknownKeyword', `${file}: does not know ${extra.map(key => `'${key}'`).join(', ')}`, { remedy: 'it knows recipe, config' }))
  if (typeof config !== 'object' || config === null || Array.isArray(config)) return left(problem('notAnObject', `${file}: config must be a JSON object {…}`))
  return describedSubject(file, { recipe, config: config as JsonObject }, changes)
}

const fromWeights = async (file: string, changes: Changes): Promise<Either<Problem, Subject>> => {
  const opened = await openSafetensors(file)()
  if (opened._tag === 'Left') return opened
  const { metadata } = opened.right
  await opened.right.close()
  // Recordings call the family their system.
  const recipe = metadata['recipe'] ?? metadata['system']
  if (recipe === undefined) return left(problem('notSelfDescribing', `${file}: does not say which recipe it is for`, { remedy: `name the recipe and pass --weights ${file}` }))
  const config = readJson.object(metadata['config'] ?? '{}', `${file}: the config in its metadata`)
  if (config._tag === 'Left') return config
  const subject = described(file, { recipe, config: config.right }, changes)
  return subject._tag === 'Left' ? subject : right({ ...subject.right, weights: file })
}
