import { isTensor, type Signal, type Tensor } from '../ops/tensor.js'
import type { SignalShape } from '../shape/shape.js'

/** One layer of a traced model, for tables and totals. */
export interface LayerRow {
  /** Dotted place: `blocks.3.attn`. */
  readonly path: string
  /** The layer's label: `attention`. */
  readonly layer: string
  /** The layer's output. */
  readonly output: SignalShape
  /** The nodes it made itself, those of inner layers excluded. */
  readonly nodes: readonly Tensor[]
}

/**
 * A traced model: op nodes in an order in which each comes after its inputs. Plain data; nothing has been
 * allocated or run.
 */
export interface Graph {
  readonly inputs: Signal
  readonly output: Signal
  /** Outputs of inner layers by path or tap name, which `compile` can be asked for. */
  readonly features: ReadonlyMap<string, Signal>
  /** Every node the output needs. */
  readonly nodes: readonly Tensor[]
  /** Every weight a layer asked for, in order, whether the output needs it or only a feature. */
  readonly parameters: readonly Tensor<'parameter'>[]
  readonly layers: readonly LayerRow[]
}

/** The nodes that some roots need and that are not yet in `seen` (which grows), inputs before users. */
export const collectNodes = (roots: readonly Tensor[], seen: Set<Tensor> = new Set()): readonly Tensor[] => {
  const order: Tensor[] = []
  // An explicit stack: a 200-layer model would otherwise nest too deeply. Beside each node, the input to look at next.
  const stack: Tensor[] = []
  const next: number[] = []
  const enter = (node: Tensor): void => {
    const before = seen.size
    if (seen.add(node).size === before) return
    if (node.inputs.length === 0) return void order.push(node)
    stack.push(node)
    next.push(0)
  }
  for (const root of roots) {
    enter(root)
    while (stack.length > 0) {
      const top = stack.length - 1
      const child = stack[top]!.inputs[next[top]!++]
      if (child !== undefined) enter(child)
      else {
        order.push(stack.pop()!)
        next.pop()
      }
    }
  }
  return order
}

/** The weights of a traced model, in the order in which its layers ask for them. */
export const parametersOf = ({ parameters }: Pick<Graph, 'parameters'>): readonly Tensor<'parameter'>[] => parameters

/**
 * Whether a name is that of a fixed table among the features, such as the masks of shifted windows. A checkpoint
 * that holds a copy of it need not be read for it.
 */
export const isComputed = (graph: Pick<Graph, 'features'>, name: string): boolean => {
  const feature = graph.features.get(name)
  return feature !== undefined && isTensor(feature) && feature.op === 'constant'
}
