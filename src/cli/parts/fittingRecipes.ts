import { recipes, type Recipe } from '../../../recipes/index.js'
import { isComputed, parametersOf } from '../../graph/graph.js'
import { trace } from '../../graph/trace.js'
import { sameShape, type Shape } from '../../shape/shape.js'

/** More than these are not named. */
const most = 3

/** The published models whose parameters have exactly the names and shapes of some tensors, what a model computes itself aside. */
export const fittingRecipes = (held: ReadonlyMap<string, { readonly shape: Shape }>): readonly string[] =>
  Object.entries(recipes as unknown as Readonly<Record<string, Recipe>>)
    .filter(([, { model }]) => {
      const traced = trace(model)
      if (traced._tag === 'Left') return false
      const parameters = parametersOf(traced.right)
      const stored = [...held.keys()].filter(name => !isComputed(traced.right, name))
      return parameters.length === stored.length && parameters.every(({ attributes: { name }, shape }) => sameShape(held.get(name)?.shape ?? [], shape))
    })
    .map(([id]) => id)
    .slice(0, most)
