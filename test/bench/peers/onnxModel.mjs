// A traced model as an ONNX file (opset 20), the ops as PyTorch's exporter would choose them: LayerNormalization, Gelu,
// MatMul + Add with the weight stored input first, attention written out, images channels first. For the benchmark: it
// knows the ops of ViT and Swin and says which it lacks.
import { parametersOf } from 'vitrail'

/** The part of ONNX's schema that is written here (onnx.proto, IR version 9), for protobufjs. */
const field = (id, type, rule) => ({ id, type, ...(rule === undefined ? {} : { rule }) })
const schema = {
  nested: {
    Model: { fields: { irVersion: field(1, 'int64'), producerName: field(2, 'string'), graph: field(7, 'Graph'), opsetImport: field(8, 'Opset', 'repeated') } },
    Opset: { fields: { domain: field(1, 'string'), version: field(2, 'int64') } },
    Graph: { fields: { node: field(1, 'Node', 'repeated'), name: field(2, 'string'), initializer: field(5, 'Tensor', 'repeated'), input: field(11, 'Value', 'repeated'), output: field(12, 'Value', 'repeated') } },
    Node: { fields: { input: field(1, 'string', 'repeated'), output: field(2, 'string', 'repeated'), name: field(3, 'string'), opType: field(4, 'string'), attribute: field(5, 'Attribute', 'repeated') } },
    Attribute: { fields: { name: field(1, 'string'), f: field(2, 'float'), i: field(3, 'int64'), ints: { ...field(8, 'int64', 'repeated'), options: { packed: false } }, type: field(20, 'int32') } },
    Tensor: { fields: { dims: { ...field(1, 'int64', 'repeated'), options: { packed: false } }, dataType: field(2, 'int32'), name: field(8, 'string'), rawData: field(9, 'bytes') } },
    Value: { fields: { name: field(1, 'string'), type: field(2, 'Type') } },
    Type: { fields: { tensorType: field(1, 'TensorType') } },
    TensorType: { fields: { elemType: field(1, 'int32'), shape: field(2, 'Shape') } },
    Shape: { fields: { dim: field(1, 'Dimension', 'repeated') } },
    Dimension: { fields: { dimValue: field(1, 'int64'), dimParam: field(2, 'string') } },
  },
}
const [float32, int32, int64] = [1, 6, 7]

const attribute = (name, value) =>
  Array.isArray(value) ? { name, ints: value, type: 7 } : Number.isInteger(value) ? { name, i: value, type: 2 } : { name, f: value, type: 1 }

/** A node's value: batched ones have the batch in front, others no axis for it. */
const axisOf = (node, axis) => axis + (node.batched ? 1 : 0)

/** Writes nodes and initialisers; every method gives the name of what it made. */
class Writer {
  nodes = []
  initializers = []

  op(opType, input, attributes = {}) {
    const name = `v${this.nodes.length}`
    this.nodes.push({ opType, name, input, output: [name], attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)) })
    return name
  }

  tensor(data, dims, dataType, name = `c${this.initializers.length}`) {
    this.initializers.push({ name, dims, dataType, rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) })
    return name
  }

  floats(data, dims, name) {
    return this.tensor(data, dims, float32, name)
  }

  integers(values) {
    return this.tensor(BigInt64Array.from(values, BigInt), [values.length], int64)
  }

  /** `[batch, …]`, `[rows, …]` → the shape given behind the batch. */
  reshape(x, isBatched, shape) {
    return this.op('Reshape', [x, this.integers([...(isBatched ? [0] : []), ...shape])])
  }
}

const transposed = (data, [rows, columns]) => {
  const out = new Float32Array(data.length)
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = data[r * columns + c]
  return out
}
const range = count => Array.from({ length: count }, (_, i) => i)
/** A permutation of the axes behind the batch. */
const batchedPerm = (node, perm) => (node.batched ? [0, ...perm.map(axis => axis + 1)] : [...perm])
const binary = opType => (w, n, inputs) => w.op(opType, inputs)

/** How each op is written. `inputs` are names, `n` is the node, `weights` all values by name. */
const written = {
  add: binary('Add'),
  multiply: binary('Mul'),
  subtract: binary('Sub'),
  reshape: (w, n, [x]) => w.reshape(x, n.batched, n.shape),
  transpose: (w, n, [x]) => w.op('Transpose', [x], { perm: batchedPerm(n, n.attributes.perm) }),
  slice: (w, n, [x]) => {
    const { begin } = n.attributes
    const axes = range(begin.length).filter(axis => n.shape[axis] !== n.inputs[0].shape[axis])
    return axes.length === 0 ? x : w.op('Slice', [x, w.integers(axes.map(a => begin[a])), w.integers(axes.map(a => begin[a] + n.shape[a])), w.integers(axes.map(a => axisOf(n, a)))])
  },
  concat: (w, n, inputs) => {
    const batched = inputs[n.inputs.findIndex(t => t.batched)]
    // What all samples share is repeated for each, as `expand` does.
    const whole = inputs.map((x, i) => {
      const t = n.inputs[i]
      return t.batched || !n.batched ? x : w.op('Expand', [w.reshape(x, false, [1, ...t.shape]), w.op('Concat', [w.op('Shape', [batched], { start: 0, end: 1 }), w.integers(t.shape)], { axis: 0 })])
    })
    return w.op('Concat', whole, { axis: axisOf(n, n.attributes.axis) })
  },
  gather: (w, n, inputs) => w.op('Gather', inputs, { axis: 0 }),
  mean: (w, n, [x]) => w.op('ReduceMean', [x, w.integers(n.attributes.axes.map(axis => axisOf(n, axis)))], { keepdims: n.attributes.keepDims ? 1 : 0 }),
  layerNorm: (w, n, inputs) => w.op('LayerNormalization', inputs, { axis: -1, epsilon: n.attributes.epsilon }),
  gelu: (w, n, [x]) => w.op('Gelu', [x]),
  linear: (w, n, [x, , bias], weights) => {
    const [, weight] = n.inputs
    const stored = w.floats(transposed(weights.get(weight.attributes.name), weight.shape), [...weight.shape].reverse())
    const product = w.op('MatMul', [x, stored])
    return bias === undefined ? product : w.op('Add', [product, bias])
  },
  conv2d: (w, n, [x, ...rest]) => {
    const { strides, padding: [[top, bottom], [left, right]], groups } = n.attributes
    const channelsFirst = n.inputs[0].op === 'input' ? x : w.op('Transpose', [x], { perm: [0, 3, 1, 2] })
    return w.op('Transpose', [w.op('Conv', [channelsFirst, ...rest], { strides: [...strides], pads: [top, left, bottom, right], group: groups })], { perm: [0, 2, 3, 1] })
  },
  attention: (w, n, [q, k, v, bias]) => {
    const { numHeads, scale } = n.attributes
    const outer = n.shape.slice(0, -2)
    const [first, rank] = [outer.length + 1, outer.length + 4]
    const heads = (x, t, lastTwo) => w.op('Transpose', [w.reshape(x, true, [...t.shape.slice(0, -1), numHeads, t.shape.at(-1) / numHeads])], { perm: [...range(first), ...lastTwo.map(a => a + first)].slice(0, rank) })
    const scaled = w.op('Mul', [heads(q, n.inputs[0], [1, 0, 2]), w.floats(Float32Array.of(scale), [])])
    const scores = w.op('MatMul', [scaled, heads(k, n.inputs[1], [1, 2, 0])])
    const attended = w.op('MatMul', [w.op('Softmax', [bias === undefined ? scores : w.op('Add', [scores, bias])], { axis: -1 }), heads(v, n.inputs[2], [1, 0, 2])])
    return w.reshape(w.op('Transpose', [attended], { perm: [...range(first), first + 1, first, first + 2] }), true, n.shape)
  },
}

const describe = (name, dims) => ({ name, type: { tensorType: { elemType: float32, shape: { dim: dims.map(d => (typeof d === 'string' ? { dimParam: d } : { dimValue: d })) } } } })

/**
 * The bytes of an ONNX model with input `x` `[batch, channels, height, width]` and output `y`.
 *
 * @param protobuf the package protobufjs
 * @param weights values by parameter name
 */
export const onnxModel = (protobuf, graph, weights) => {
  const w = new Writer()
  const names = new Map()
  for (const p of parametersOf(graph)) names.set(p, p.attributes.name)
  const usedAsIs = new Set(graph.nodes.flatMap(n => n.inputs.filter((x, i) => !(n.op === 'linear' && i === 1))))
  for (const n of graph.nodes) {
    if (n.op === 'input') names.set(n, 'x')
    else if (n.op === 'parameter') {
      if (usedAsIs.has(n)) w.floats(weights.get(n.attributes.name), [...n.shape], n.attributes.name)
    } else if (n.op === 'constant') names.set(n, n.dtype === 'int32' ? w.tensor(n.attributes.data, [...n.shape], int32) : w.floats(n.attributes.data, [...n.shape]))
    else if (written[n.op] === undefined) throw new Error(`the benchmark's ONNX writer does not know ${n.op}`)
    else names.set(n, written[n.op](w, n, n.inputs.map(x => names.get(x)), weights))
  }
  w.nodes.push({ opType: 'Identity', name: 'y', input: [names.get(graph.output)], output: ['y'], attribute: [] })
  const [height, width, channels] = graph.inputs.shape
  const Model = protobuf.Root.fromJSON(schema).lookupType('Model')
  const message = {
    irVersion: 9, producerName: 'vitrail', opsetImport: [{ domain: '', version: 20 }],
    graph: { name: 'model', node: w.nodes, initializer: w.initializers, input: [describe('x', ['batch', channels, height, width])], output: [describe('y', ['batch', ...graph.output.shape])] },
  }
  return Model.encode(Model.fromObject(message)).finish()
}
