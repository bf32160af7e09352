import { parametersOf } from '../../../graph/graph.js'
import { placesOf, type Place } from '../../shrink/placesOf.js'
import type { Subject } from './subject.js'

/** Parameters that layers declare to change nothing (see `Traits.inert`), or an order alone (`Traits.ranks`). */
export const inertNames = (subject: Subject): ReadonlySet<string> => {
  const names = new Set<string>()
  const all = parametersOf(subject.graph()).map(p => p.attributes.name)
  const visit = ({ layer, path, children }: Place): void => {
    for (const name of Object.keys(layer.definition.traits.inert ?? {})) names.add(path === '' ? name : `${path}.${name}`)
    if (layer.definition.traits.ranks === true) for (const inner of children) for (const name of all) if (name.startsWith(`${inner.path}.`)) names.add(name)
    children.forEach(visit)
  }
  placesOf(subject.model).forEach(visit)
  return names
}
