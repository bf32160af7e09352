import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { AnyLayer } from '../../layers/core/layer.js'
import type { Patterns } from '../../layers/core/pathPattern.js'
import type { AnyModel, Model } from '../../layers/core/model.js'
import { shapeOfSignal } from '../../layers/core/refuse.js'
import { problem, type Problem } from '../../shape/problem.js'
import { showFields } from '../../shape/shape.js'
import { trace } from '../trace.js'
import { editModel } from './editModel.js'
import { places, type Place } from './places.js'
import { chosen } from './select.js'

/**
 * A model with the layers at some paths replaced by what `f` makes of them; those inside others first. Paths and
 * patterns are as for `select`. What comes out of the model keeps its shape.
 *
 * Errors: those of `trace`, also of the new model; `badPattern`; `unknownPath`; `madeInside` (a layer that another one
 * makes out of its options, such as `attn` in an `encoderBlock`: rewrite that one); `outputChanges`.
 *
 * @example
 * rewrite(vitTiny, 'blocks.*', block => serial(block, dropout(0.1))) // Either<Problem, Model<[224, 224, 3], [1000]>>
 */
export const rewrite = <I, S>(model: Model<I, S>, patterns: Patterns, f: (layer: AnyLayer, path: string) => AnyLayer): Either<Problem, Model<I, S>> => {
  const all = places(model as AnyModel)
  if (all._tag === 'Left') return all
  const found = chosen('rewrite', all.right.filter(place => place.isNamed), patterns)
  if (found._tag === 'Left') return found
  const made = replaced(model as AnyModel, 'rewrite', found.right, place => f(place.layer, place.path))
  return made._tag === 'Left' ? made : (keepingOutput(model as AnyModel, made.right) as Either<Problem, Model<I, S>>)
}

/** A model with the layers at some places replaced. Errors: `madeInside`. `f` sees a layer after those inside it were replaced. */
export const replaced = (m: AnyModel, who: string, at: readonly Place[], f: (place: Place) => AnyLayer): Either<Problem, AnyModel> => {
  const inside = at.find(({ address }) => address === undefined)
  if (inside !== undefined) return left(madeInside(who, inside))
  const byAddress = new Map(at.map(place => [place.address!, place]))
  return right(editModel(m, (address, layer) => {
    const place = byAddress.get(address)
    return place === undefined ? layer : f({ ...place, layer })
  }, byAddress.keys()))
}

const madeInside = (who: string, { path, host }: Place): Problem => {
  const { kind, config } = host.definition
  return problem('madeInside', `${who}: '${path}' is made by the ${kind} around it, out of its options`, { path, remedy: `change the ${kind} instead; its options are ${Object.keys(config).join(', ')}` })
}

/** The new model, if it gives what the old one gives. */
const keepingOutput = (before: AnyModel, after: AnyModel): Either<Problem, AnyModel> => {
  const [old, made] = [trace(before), trace(after)]
  if (old._tag === 'Left') return old
  if (made._tag === 'Left') return made
  const [expected, actual] = [old, made].map(graph => showFields(shapeOfSignal(graph.right.output))) as [string, string]
  return expected === actual ? right(after) : left(problem('outputChanges', `rewrite: the model gave ${expected}, and now gives ${actual}`, { expected, actual, remedy: 'for another number of classes there is replaceHead' }))
}
