import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { Recipe } from '../../../recipes/kit/recipe.js'
import { model, type AnyModel } from '../../layers/core/model.js'
import { problem, showProblem, type Problem } from '../../shape/problem.js'
import { fingerprint, type Fingerprint } from '../fingerprints/fingerprint.js'
import { fingerprintDifferences } from '../fingerprints/fingerprintDifferences.js'
import { countLayers } from '../shrink/countLayers.js'
import { placesOf, type Place } from '../shrink/placesOf.js'

/** How the law of published recipes is called, and what it means. */
export const asPublishedLaw = {
  name: 'asPublished',
  title: 'a published recipe has the weights and the values it was published with',
  meaning: 'The recipe puts its layers together otherwise than when its recordings were verified: look at the layer that is named and the one in front of it, in the recipe of its family.',
} as const

/** How a published recipe differs from its record. */
export interface PublishedFailure {
  readonly evidence: string
  /** The layers where it first differs, with what they are given. */
  readonly smallest: AnyModel
}

/**
 * Compares a published recipe with what was recorded of it, and finds the few layers around the first difference.
 * Errors: those of `trace`, `cannotEvaluate`.
 */
export const publishedFailure = (recipe: Recipe, recorded: Fingerprint): Either<Problem, PublishedFailure | undefined> => {
  const now = attempt(() => fingerprint(recipe, recorded.reduced))
  if (now._tag === 'Left') return now
  const differences = fingerprintDifferences(now.right, recorded)
  if (differences.length === 0) return right(undefined)
  const path = differences.find(({ path: at }) => at !== '')?.path
  const evidence = differences.map(p => `${showProblem(p)}${p.expected === undefined ? '' : `: ${p.actual}, not ${p.expected}`}`).join('; ')
  return right({ evidence: evidence.slice(0, 600), smallest: around(recipe.withConfig(recorded.reduced).model, path, recorded) })
}

/** A recipe that is wrong enough cannot even be evaluated. */
const attempt = (make: () => Either<Problem, Fingerprint>): Either<Problem, Fingerprint> => {
  try {
    return make()
  } catch (fault) {
    return left(problem('cannotEvaluate', `the small configuration cannot be evaluated: ${fault instanceof Error ? fault.message : String(fault)}`))
  }
}

/** Layers one by one, those that hold others opened, in the order in which they finish. */
const inOrder = (place: Place): readonly Place[] => [...place.children.flatMap(inOrder), ...(place.layer.definition.kind === 'identity' ? [] : [place])]

/** No more than this is shown. */
const most = 4

/** The layer at which a recipe differs first, or, where that is a whole stage, how it ends. */
const around = (small: AnyModel, path: string | undefined, recorded: Fingerprint): AnyModel => {
  const all = placesOf(small).flatMap(inOrder)
  const at = (name: string): number => all.findLastIndex(place => place.path === name)
  let index = path === undefined ? 0 : at(path)
  if (index < 0) {
    // The layer is gone: what follows the last one that is still there shows where.
    const order = recorded.layers.map(([name]) => name)
    const before = order.slice(0, order.indexOf(path!)).reverse().find(name => at(name) >= 0)
    index = before === undefined ? 0 : Math.min(all.length - 1, at(before) + 1)
  }
  let place = all[index]!
  while (countLayers(asModel(place)) > most && place.children.length > 0) place = place.children.at(-1)!
  return asModel(place)
}

const asModel = ({ input, layer }: Place): AnyModel => model(input, [layer]) as unknown as AnyModel
