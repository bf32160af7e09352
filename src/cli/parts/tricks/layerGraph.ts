import { trace } from '../../../graph/trace.js'
import type { AnyLayer, Mode } from '../../../layers/core/layer.js'
import { model } from '../../../layers/core/model.js'
import { tensorsOf, type Tensor } from '../../../ops/tensor.js'
import type { Shape } from '../../../shape/shape.js'
import { Misread } from './recorded.js'

/** The graph of one layer from one tensor to one. Throws `Misread` where the layer refuses the shape. */
export const layerGraph = (layer: AnyLayer, shape: Shape, mode: Mode = 'inference'): { readonly input: Tensor; readonly output: Tensor; readonly parameters: readonly Tensor[] } => {
  const graph = trace(model<never, unknown>({ shape, dtype: 'float32' }, [layer]), { mode })
  if (graph._tag === 'Left') throw new Misread(graph.left.sentence)
  const { inputs, output, parameters } = graph.right
  return { input: tensorsOf(inputs)[0]!, output: tensorsOf(output)[0]!, parameters }
}
