import { extname, resolve } from 'node:path'
import { right, type Either } from 'fp-ts/lib/Either.js'
import { isModel } from '../../../layers/core/model.js'
import type { Problem } from '../../../shape/problem.js'
import type { TrainingConfig, WrittenRecipe } from '../../../training/config/defineTraining.js'
import type { Subject } from '../subject.js'
import { subjects } from '../subjects.js'
import { writtenSubject } from './writtenSubject.js'

const isRecipe = (value: object): value is WrittenRecipe => 'model' in value && isModel(value.model)

/**
 * The model that a configuration names; paths begin at `folder`. Errors: those of `subjects.one`.
 */
export const subjectOf = async (given: TrainingConfig['model'], folder: string): Promise<Either<Problem, Subject>> => {
  if (isModel(given)) return right({ id: 'the model', model: given })
  if (typeof given === 'object' && isRecipe(given)) return right(writtenSubject(given))
  const { recipe, config } = typeof given === 'string' ? { recipe: given, config: undefined } : (given as { readonly recipe: string; readonly config?: Readonly<Record<string, unknown>> })
  const file = recipe.replace(/#\w+$/, '')
  const isFile = ['.ts', '.mts', '.js', '.mjs', '.json', '.safetensors'].includes(extname(file))
  return subjects.one(isFile ? resolve(folder, recipe) : recipe, config === undefined ? {} : { config })()
}
