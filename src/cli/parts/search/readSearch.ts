import { dirname } from 'node:path'
import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { recipes, type Recipe } from '../../../../recipes/index.js'
import { nearest } from '../../../shape/nearest.js'
import { problem, type Problem } from '../../../shape/problem.js'
import type { Budget } from '../../../search/budget.js'
import { recipeSpace } from '../../../search/recipeSpace.js'
import type { SearchOptions } from '../../../search/search.js'
import type { AnyPicked, Choices, Space } from '../../../search/space.js'
import { readConfig } from '../../../training/config/readConfig.js'
import type { DataSource, TrainingConfig } from '../../../training/config/defineTraining.js'
import { readJson, type JsonObject } from '../readJson.js'

/** A search as its file has it. */
export interface SearchConfig {
  /** The folder that paths in it begin at. */
  readonly folder: string
  readonly recipe: string
  /** Options of the recipe that all its models share. */
  readonly config: JsonObject
  readonly space: Space
  /** The training of the whole, with its data. */
  readonly training: TrainingConfig
  readonly updatesEach?: number
  readonly budget: Budget
  readonly search: SearchOptions<AnyPicked>
  /** What the best is tested on in the end (default: what candidates were scored on). */
  readonly test?: DataSource
  /** A choice made by hand, to compare with. */
  readonly compare?: AnyPicked
}

const known = {
  '': ['space', 'data', 'supernet', 'budget', 'search', 'test', 'compare'],
  space: ['recipe', 'config', 'choices', 'whole'],
  budget: ['params', 'macs'],
  search: ['population', 'generations', 'parents', 'mutationRate', 'seed', 'axis'],
} as const

/**
 * Reads the configuration of a search. Errors: `fileUnreadable`, `notJson`, `notAnObject`; `unknownOption`,
 * `missingOption`, `unknownRecipe`; those of `recipeSpace` and `readConfig`; `missingOption` where there is nothing to
 * score on.
 */
export const readSearch = (file: string): TaskEither<Problem, SearchConfig> => async () => {
  const read = await readJson.file(file)()
  if (read._tag === 'Left') return read
  const raw = read.right
  const refuse = (found: Problem): Either<Problem, never> => left({ ...found, sentence: `${file}: ${found.sentence}`, path: '' })
  for (const [place, names] of Object.entries(known)) {
    const part = (place === '' ? raw : (raw[place] ?? {})) as JsonObject
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return refuse(problem('notAnObject', `${place} must be an object {…}`))
    const other = Object.keys(part).find(key => !(names as readonly string[]).includes(key))
    if (other !== undefined) return refuse(unknownOption(place === '' ? other : `${place}.${other}`, names.map(name => (place === '' ? name : `${place}.${name}`))))
  }
  const missing = ['space', 'data', 'supernet'].find(name => raw[name] === undefined)
  if (missing !== undefined) return refuse(problem('missingOption', `needs '${missing}'`))
  const { recipe: id, config = {}, choices, whole = {} } = raw['space'] as { readonly recipe?: string; readonly config?: JsonObject; readonly choices?: Choices; readonly whole?: JsonObject }
  if (typeof id !== 'string' || !Object.hasOwn(recipes, id)) {
    const near = nearest(String(id), Object.keys(recipes))
    return refuse(problem('unknownRecipe', `space.recipe must be a published recipe, got ${JSON.stringify(id)}`, { remedy: near === undefined ? '`vitrail list` shows them all' : `did you mean '${near}'?` }))
  }
  const recipe = (recipes as unknown as Readonly<Record<string, Recipe>>)[id]!
  const space = recipeSpace(recipe, choices ?? {}, { config, whole })
  if (space._tag === 'Left') return refuse(space.left)
  const { updatesEach, ...supernet } = raw['supernet'] as JsonObject & { readonly updatesEach?: number }
  const training = readConfig({ ...supernet, model: { recipe: id, config: { ...config, ...space.right.largest, ...whole } }, data: raw['data'] })
  if (training._tag === 'Left') return refuse(training.left)
  if (training.right.data.validation === undefined) return refuse(problem('missingOption', "needs 'data.validation', images to score candidates on that the whole is not trained on", { remedy: 'a share such as 0.1, or other data' }))
  return right({
    folder: dirname(file), recipe: id, config, space: space.right, training: training.right, budget: (raw['budget'] ?? {}) as Budget, search: (raw['search'] ?? {}) as SearchOptions<AnyPicked>,
    ...(updatesEach === undefined ? {} : { updatesEach }),
    ...(raw['test'] === undefined ? {} : { test: raw['test'] as DataSource }),
    ...(raw['compare'] === undefined ? {} : { compare: raw['compare'] as AnyPicked }),
  })
}

const unknownOption = (name: string, names: readonly string[]): Problem => {
  const near = nearest(name, names)
  return problem('unknownOption', `there is no option '${name}'`, { remedy: near === undefined ? `there are ${names.join(', ')}` : `did you mean '${near}'?` })
}
