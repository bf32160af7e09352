import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { AnyModel } from '../layers/core/model.js'
import { problem, type Problem } from '../shape/problem.js'
import { checkSpace } from './checkSpace.js'
import { defineSpace } from './defineSpace.js'
import type { AnyPicked, Choices, Space } from './space.js'

/** A published recipe, as far as a space needs it. */
interface SearchedRecipe {
  readonly options: Readonly<Record<string, unknown>>
  readonly model: unknown
  readonly withConfig: (changes: Readonly<Record<string, unknown>>) => SearchedRecipe
}

/** Options of {@link recipeSpace}. */
export interface RecipeSpaceOptions {
  /** Options of the recipe that all its models share. */
  readonly config?: Readonly<Record<string, unknown>>
  /** Options of the whole that all of them are parts of (default: the largest of all values). */
  readonly whole?: Readonly<Record<string, unknown>>
}

/**
 * The space of a recipe's options: each choice is named after one of them. The whole, for a one-shot search, is the
 * recipe with the largest values, unless it is said otherwise. Errors: `badSpace` (a choice that is no option of the
 * recipe, too).
 *
 * @example
 * recipeSpace({ options: { dim: 'number' }, model: undefined, withConfig: ({ dim }) => ({ model: pipe(input(4), linear(dim)) }) }, { dim: [2, 3] }).right.count // 2
 */
export const recipeSpace = (recipe: SearchedRecipe, choices: Choices, { config = {}, whole = {} }: RecipeSpaceOptions = {}): Either<Problem, Space> => {
  const unknown = Object.keys(choices).find(name => !Object.hasOwn(recipe.options, name))
  if (unknown !== undefined) return left(problem('badSpace', `space: the recipe has no option '${unknown}'`, { path: unknown, remedy: `it has ${Object.keys(recipe.options).join(', ')}` }))
  const model = (picked: Readonly<Record<string, unknown>>): AnyModel => recipe.withConfig({ ...config, ...picked }).model as AnyModel
  const space = defineSpace(choices, picked => model(picked))
  const fits = checkSpace(space as unknown as Space<AnyPicked>)
  return fits._tag === 'Left' ? fits : right(defineSpace(choices, picked => model(picked), { whole: model({ ...space.largest, ...whole }) }) as unknown as Space)
}
