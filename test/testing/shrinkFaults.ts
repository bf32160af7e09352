import { defineLayer, type Context } from '../../src/layers/core/layer.js'
import { model } from '../../src/layers/core/model.js'
import { mapLayer } from '../../src/layers/mapLayer.js'
import { trace, type AnyLayer, type AnyModel, type Signal, type Tensor } from '../../src/index.js'
import { concat, slice } from '../../src/ops/ops.js'
import { isOp } from '../../src/ops/tensor.js'
import { formulaWeights } from '../../src/weights/formulaWeights.js'
import { evaluateGraph } from '../evaluateGraph.js'
import { random } from '../random.js'

type Make = (...args: never[]) => AnyLayer

const mended = new WeakMap<AnyLayer, AnyLayer>()

/** A constructor like one that is right, whose layers compute something else; rebuilt with other arguments, they still do. */
export const faulty = <M extends Make>(name: string, right: M, corrupt: (x: Tensor, context: Context, right: AnyLayer) => Signal): M => {
  const make = (...args: unknown[]): AnyLayer => {
    const layer = right(...(args as never[]))
    const { scope, accepts, check, parameters, config } = layer.definition
    const parts = { scope, accepts, config, check, parameters, forward: (x: Tensor, context: Context) => corrupt(x, context, layer) }
    const made = defineLayer(name, make as Make, args, parts as never)
    mended.set(made, layer)
    return made
  }
  return make as unknown as M
}

/** What a layer makes of a tensor in a context that is another's. */
export const forward = (layer: AnyLayer, x: Signal, context: Context): Tensor => layer.definition.forward(x as never, context) as Tensor

/** A tensor with the order of an axis turned round. */
export const reversed = (x: Tensor, axis: number): Tensor =>
  concat(Array.from({ length: x.shape[axis]! }, (_, i) => slice(x, x.shape.map((size, a) => (a === axis ? size - 1 - i : 0)), x.shape.map((size, a) => (a === axis ? 1 : size)))), axis)

/** What a model computes, by the definitions of its ops. */
const valuesOf = (m: AnyModel): readonly number[] | undefined => {
  const graph = trace(m)
  if (graph._tag === 'Left') return undefined
  const values = evaluateGraph([graph.right.output], 2, (node, count) => {
    if (isOp(node, 'parameter')) return formulaWeights(node.attributes.name, node.shape, 0.5, 0.5, 1)
    return node.dtype === 'int32' ? new Int32Array(count) : random(1).values(count)
  })
  return values.flatMap(v => [...v.data])
}

/** Whether a model computes something else than the same one without the fault. */
export const differs = (m: AnyModel): boolean => {
  const right: AnyModel = model(m.input, m.layers.map(layer => mapLayer(layer, l => mended.get(l) ?? l)))
  const [is, should] = [valuesOf(m), valuesOf(right)]
  return is !== undefined && should !== undefined && is.some((v, i) => !(Math.abs(v - should[i]!) < 1e-9))
}

/** Whether a model is refused with a code. */
export const refusedAs = (code: string) => (m: AnyModel): boolean => {
  const graph = trace(m)
  return graph._tag === 'Left' && graph.left.code === code
}
