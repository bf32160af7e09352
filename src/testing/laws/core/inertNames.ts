import { collectNodes, parametersOf } from '../../../graph/graph.js'
import { tensorsOf } from '../../../ops/tensor.js'
import { placesOf, type Place } from '../../shrink/placesOf.js'
import type { Subject } from './subject.js'

/** Parameters that layers declare to change nothing (see `Traits.inert`), or a choice alone (`Traits.chooses`), and those that parts of a network leave over (`Traits.shares`). */
export const inertNames = (subject: Subject): ReadonlySet<string> => {
  const names = new Set<string>()
  const all = parametersOf(subject.graph()).map(p => p.attributes.name)
  const used = new Set(collectNodes(tensorsOf(subject.graph().output)))
  const visit = ({ layer, path, children }: Place): void => {
    for (const name of Object.keys(layer.definition.traits.inert ?? {})) names.add(path === '' ? name : `${path}.${name}`)
    if (layer.definition.traits.shares !== undefined) for (const p of parametersOf(subject.graph())) if (!used.has(p)) names.add(p.attributes.name)
    for (const inner of insides(path, children.slice(0, layer.definition.traits.chooses ?? 0))) for (const name of all) if (name.startsWith(`${inner}.`)) names.add(name)
    children.forEach(visit)
  }
  placesOf(subject.model).forEach(visit)
  return names
}

/** The paths of the layers inside one, of those nearest to it that have a path of their own. */
const insides = (path: string, children: readonly Place[]): readonly string[] => children.flatMap(child => (child.path === path ? insides(path, child.children) : [child.path]))
