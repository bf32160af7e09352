import { multiplyAdds, parameterCount } from '../../graph/cost.js'
import type { Graph } from '../../graph/graph.js'
import type { SignalShape } from '../../shape/shape.js'

/** One layer in a summary; its numbers are its own, those of inner layers excluded. */
export interface LayerSummary {
  readonly path: string
  readonly layer: string
  readonly output: SignalShape
  readonly params: number
  readonly macs: number
}

/** What each layer of a graph makes, holds and costs. Layers that only pass their signal on are left out. */
export const layerRows = ({ layers }: Graph): readonly LayerSummary[] =>
  layers
    .filter(({ nodes }) => nodes.some(({ op }) => op !== 'input'))
    .map(({ path, layer, output, nodes }) => ({ path, layer, output, params: parameterCount(nodes), macs: multiplyAdds(nodes).total }))
