import { gradient, type Gradients } from '../../../graph/gradient/gradient.js'
import { parametersOf, type Graph } from '../../../graph/graph.js'
import * as ops from '../../../ops/ops.js'
import { tensorsOf, type Tensor } from '../../../ops/tensor.js'
import { formulaWeights } from '../../../weights/formulaWeights.js'

/** One number that every element of a graph's outputs has a share in, so that its gradient shows all of the graph. */
export const lossOf = ({ output }: Pick<Graph, 'output'>): Tensor => {
  // Whole numbers have no derivative.
  const parts = tensorsOf(output).filter(t => t.dtype === 'float32').map((t, i): Tensor => {
    const shares = formulaWeights(`output ${i}`, t.shape, 0, 1, 'loss')
    const total = ops.sum(ops.multiply(t, ops.constant(shares, t.shape)), t.shape.map((_, axis) => axis))
    return t.batched ? ops.batchMean(total) : total
  })
  return parts.reduce((a, b) => ops.add(a, b), ops.scalar(0) as Tensor)
}

/** What a gradient is asked for: parameters that are trained, and inputs of floats. */
export const differentiable = (graph: Graph): readonly (Tensor<'parameter'> | Tensor<'input'>)[] => [
  ...parametersOf(graph).filter(p => p.attributes.role !== 'buffer'),
  ...(tensorsOf(graph.inputs).filter(t => t.dtype === 'float32') as readonly Tensor<'input'>[]),
]

/** A loss of a graph with its gradients, and how each is called. */
export interface Differentiated {
  readonly loss: Tensor
  readonly gradients: Gradients
  readonly wanted: readonly (Tensor<'parameter'> | Tensor<'input'>)[]
}

/** The gradients of {@link lossOf} for all that is {@link differentiable}. */
export const differentiated = (graph: Graph): Differentiated => {
  const loss = lossOf(graph)
  const wanted = differentiable(graph)
  return { loss, wanted, gradients: gradient(loss, wanted) }
}
