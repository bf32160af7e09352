import type { Routine } from '../../backends/prepare.js'
import { collectNodes, type Graph } from '../../graph/graph.js'
import { tensorsOf, type Tensor } from '../../ops/tensor.js'
import type { Place } from './place.js'

/**
 * Where each node of a routine belongs: to the layer that made it, to the layer it differentiates, or to the parameter
 * it updates.
 *
 * @param origin for nodes of the backward pass, the forward node they differentiate
 */
export const placesOf = ({ outputs, updates = [] }: Routine, graph: Graph, origin: ReadonlyMap<Tensor, Tensor>): ReadonlyMap<Tensor, Place> => {
  const layers = new Map<Tensor, string>(graph.layers.flatMap(({ path, nodes }) => nodes.map(node => [node, path] as const)))
  const places = new Map<Tensor, Place>()
  for (const node of collectNodes(Object.values(outputs).flatMap(tensorsOf))) {
    const forward = origin.get(node)
    places.set(node, forward === undefined ? { path: layers.get(node) ?? '', phase: 'forward' } : { path: layers.get(forward) ?? '', phase: 'backward' })
  }
  // What is computed for an update alone belongs to the parameter it is for.
  const seen = new Set(places.keys())
  for (const { parameter, value } of updates) {
    const path = parameter.attributes.name.replace(/^@.*\//, '')
    for (const node of collectNodes([value], seen)) places.set(node, origin.has(node) ? { path: layers.get(origin.get(node)!) ?? '', phase: 'backward' } : { path, phase: 'update' })
  }
  return places
}
