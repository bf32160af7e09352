import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { AnyLayer } from '../../layers/core/layer.js'
import type { AnyModel } from '../../layers/core/model.js'
import type { Patterns } from '../../layers/core/pathPattern.js'
import { places, type Place } from '../../graph/tree/places.js'
import { replaced } from '../../graph/tree/rewrite.js'
import { chosen } from '../../graph/tree/select.js'
import { trace } from '../../graph/trace.js'
import { problem, type Problem } from '../../shape/problem.js'

/** The options of layers that training changes; the layers of the same names are these options by themselves. */
export type TrainingOption = 'dropPath' | 'layerScale' | 'dropout' | 'projDropout' | 'attentionDropout'

/** Whether a layer has an option, or is what the option stands for. */
const has = ({ definition: { kind, config } }: AnyLayer, option: TrainingOption): boolean => kind === option || Object.hasOwn(config, option)

const withValue = (layer: AnyLayer, option: TrainingOption, value: number): AnyLayer => {
  const { kind, make, args } = layer.definition
  if (kind === option) return make(...([value, ...args.slice(1)] as never[]))
  return has(layer, option) ? make(...([{ ...(args[0] as object), [option]: value }] as never[])) : layer
}

/**
 * A model with an option of all its layers that have it changed: `values` tells each its own. Layers that others make
 * out of their options are changed through those. Only inside the paths of `where`, if it is given.
 *
 * Errors: those of `trace`, also of the new model; `nothingToChange`; `badPattern`, `unknownPath`.
 */
export const changeOption = (m: AnyModel, options: readonly TrainingOption[], values: (found: readonly Place[]) => (place: Place) => number, who: string, where?: Patterns): Either<Problem, AnyModel> => {
  const all = places(m)
  if (all._tag === 'Left') return all
  const inside = where === undefined ? all : chosen(who, all.right, where, 'inside')
  if (inside._tag === 'Left') return inside
  const found = inside.right.filter(({ address, layer }) => address !== undefined && options.some(option => has(layer, option)))
  if (found.length === 0) return left(problem('nothingToChange', `${who}: no layer ${where === undefined ? 'of this model' : 'there'} has the option ${options.join(' or ')}`, { remedy: `put ${options[0]!} layers where they are to act` }))
  const value = values(found)
  const made = replaced(m, who, found, place => options.reduce((layer, option) => withValue(layer, option, value(place)), place.layer))
  if (made._tag === 'Left') return made
  const traced = trace(made.right)
  return traced._tag === 'Left' ? traced : right(made.right)
}
