import { denseStrides, sizeOf, type Shape } from '../../shape/shape.js'
import { valueShape, type ComputedKind, type OpKind, type Tensor } from '../tensor.js'
import * as adjoints from './adjoints.js'
import { attention, conv2d, linear, matmul } from './contractions.js'
import { erf } from './erf.js'
import { partsOf, type FusedKind } from '../unfused.js'
import { broadcastStrides, fill, walk, type Value } from './value.js'

/** What an op computes: its node, its inputs' values and the batch size to the result. */
type Meaning<K extends OpKind> = (node: Tensor<K>, inputs: readonly Value[], batch: number) => Value

const binary = <K extends OpKind>(f: (a: number, b: number) => number): Meaning<K> => (node, [a, b], batch) => {
  const shape = valueShape(node, batch)
  const data = new Float64Array(sizeOf(shape))
  walk(shape, [broadcastStrides(a!.shape), broadcastStrides(b!.shape)], (i, [p, q]) => (data[i] = f(a!.data[p!]!, b!.data[q!]!)))
  return { shape, data }
}
const unary = <K extends OpKind>(f: (x: number) => number): Meaning<K> => (_, [x]) => fill(x!.shape, i => f(x!.data[i]!))

const geluForms = {
  erf: (x: number) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  tanh: (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  quick: (x: number) => x / (1 + Math.exp(-1.702 * x)),
}

const reduce = <K extends 'sum' | 'mean' | 'max'>(start: number, f: (total: number, x: number) => number, finish: (total: number, count: number) => number): Meaning<K> => ({ attributes: { axes }, shape, batched }, [x], batch) => {
  const inner = x!.shape
  const kept = inner.map((size, axis) => (axis > 0 && axes.includes(axis - 1) ? 1 : size))
  const data = new Float64Array(sizeOf(kept)).fill(start)
  walk(inner, [broadcastStrides(kept)], (i, [at]) => (data[at!] = f(data[at!]!, x!.data[i]!)))
  const count = x!.data.length / Math.max(1, data.length)
  return { shape: [batched ? batch : 1, ...shape], data: data.map(total => finish(total, count)) }
}

/** Runs `f` over every row of the last axis. */
const rows = (x: Value, f: (row: Float64Array, out: Float64Array) => void): Value => {
  const width = x.shape.at(-1) as number
  const data = new Float64Array(x.data.length)
  for (let at = 0; at < data.length; at += width) f(x.data.subarray(at, at + width), data.subarray(at, at + width))
  return { shape: x.shape, data }
}

/**
 * What every op means, in plain loops and double precision: the definition that backends are compared
 * with, and what constant folding computes. Leaves have no entry: their values are given.
 */
export const definitions: { readonly [K in ComputedKind]: Meaning<K> } = {
  add: binary((a, b) => a + b),
  subtract: binary((a, b) => a - b),
  multiply: binary((a, b) => a * b),
  divide: binary((a, b) => a / b),
  maximum: binary(Math.max),
  minimum: binary(Math.min),
  power: ({ attributes: { exponent } }, [x]) => fill(x!.shape, i => x!.data[i]! ** exponent),
  exp: unary(Math.exp),
  log: unary(Math.log),
  sqrt: unary(Math.sqrt),
  tanh: unary(Math.tanh),
  sigmoid: unary(x => 1 / (1 + Math.exp(-x))),
  relu: unary(x => Math.max(x, 0)),
  step: unary(x => (x > 0 ? 1 : x <= 0 ? 0 : NaN)),
  gelu: ({ attributes }, [x]) => fill(x!.shape, i => geluForms[attributes.form](x!.data[i]!)),
  reshape: (node, [x], batch) => ({ shape: valueShape(node, batch), data: x!.data }),
  transpose: ({ attributes: { perm } }, [x]) => permute(x!, [0, ...perm.map(axis => axis + 1)]),
  slice: (node, [x], batch) => {
    const shape = valueShape(node, batch)
    const strides = denseStrides(x!.shape)
    const data = new Float64Array(sizeOf(shape))
    const start = node.attributes.begin.reduce((offset, begin, axis) => offset + begin * strides[axis + 1]!, 0)
    walk(shape, [strides], (i, [at]) => (data[i] = x!.data[at!]!), [start])
    return { shape, data }
  },
  pad: (node, [x], batch) => {
    const shape = valueShape(node, batch)
    const strides = denseStrides(shape)
    const data = new Float64Array(sizeOf(shape))
    const start = node.attributes.begin.reduce((offset, begin, axis) => offset + begin * strides[axis + 1]!, 0)
    walk(x!.shape, [strides], (i, [at]) => (data[at!] = x!.data[i]!), [start])
    return { shape, data }
  },
  concat: (node, inputs, batch) => {
    const shape = valueShape(node, batch)
    const axis = node.attributes.axis + 1
    const data = new Float64Array(sizeOf(shape))
    const into = denseStrides(shape)
    let start = 0
    for (const x of inputs) {
      const part = shape.map((size, i) => (i === axis ? x.shape[i]! : size))
      walk(part, [broadcastStrides(x.shape), into], (_, [from, to]) => (data[to!] = x.data[from!]!), [0, start])
      start += x.shape[axis]! * into[axis]!
    }
    return { shape, data }
  },
  gather: (node, [table, indices], batch) => {
    const width = sizeOf(table!.shape.slice(2))
    const shape = valueShape(node, batch)
    const picks = sizeOf(node.inputs[1]!.shape)
    const rows = table!.shape[1]!
    const [ofTable, ofIndices] = [table!.shape[0] === 1 ? 0 : rows, indices!.shape[0] === 1 ? 0 : picks]
    return fill(shape, i => {
      const [sample, pick] = [Math.floor(i / width / picks), Math.floor(i / width) % picks]
      const row = indices!.data[sample * ofIndices + pick]!
      return row >= 0 && row < rows ? table!.data[(sample * ofTable + row) * width + (i % width)]! : NaN
    })
  },
  argsort: ({ attributes: { descending } }, [x]) =>
    rows(x!, (row, out) => {
      const sign = descending ? -1 : 1
      const order = Array.from(row, (_, i) => i).sort((a, b) => sign * (row[a]! - row[b]!) || a - b)
      out.set(order)
    }),
  batchReverse: (_, [x]) => {
    const size = sizeOf(x!.shape.slice(1))
    return fill(x!.shape, i => x!.data[(x!.shape[0]! - 1 - Math.floor(i / size)) * size + (i % size)]!)
  },
  batchToAxis: ({ shape }, [x]) => ({ shape: [1, ...shape], data: x!.data }),
  axisToBatch: (node, [x]) => ({ shape: [node.inputs[0]!.shape[0]!, ...node.shape], data: x!.data }),
  sum: reduce(0, (total, x) => total + x, total => total),
  mean: reduce(0, (total, x) => total + x, (total, count) => total / count),
  max: reduce(-Infinity, Math.max, total => total),
  batchSize: (_, __, batch) => fill([1], () => batch),
  batchSum: ({ shape }, [x]) => overBatch(shape, x!, 1),
  batchMean: ({ shape }, [x]) => overBatch(shape, x!, x!.shape[0]!),
  softmax: (_, [x]) =>
    rows(x!, (row, out) => {
      const largest = row.reduce((a, b) => Math.max(a, b), -Infinity)
      let total = 0
      row.forEach((value, i) => (total += out[i] = Math.exp(value - largest)))
      out.forEach((value, i) => (out[i] = value / total))
    }),
  layerNorm: ({ attributes: { epsilon } }, [x, gamma, beta]) =>
    rows(x!, (row, out) => {
      const mean = row.reduce((a, b) => a + b, 0) / row.length
      const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / row.length
      const scale = 1 / Math.sqrt(variance + epsilon)
      row.forEach((value, i) => (out[i] = (value - mean) * scale * (gamma?.data[i] ?? 1) + (beta?.data[i] ?? 0)))
    }),
  ...adjoints,
  matmul,
  linear,
  attention,
  conv2d,
  after: (_, [x]) => x!,
  remat: (_, [y]) => y!,
  detach: (_, [x]) => x!,
  fusedLinear: ofParts,
  packedAttention: ofParts,
  packedAttentionGradient: ofParts,
  groupNorm: ofParts,
  groupNormGradient: ofParts,
  squareSum: ofParts,
  elementwise: ofParts,
  maxPool: (node, [x], batch) => pool(node, x!, batch, -Infinity, Math.max, total => total),
  averagePool: (node, [x], batch) => pool(node, x!, batch, 0, (total, value) => total + value, (total, inside) => total / (node.attributes.countPadding ? node.attributes.size[0] * node.attributes.size[1] : inside)),
}

/** What a fused op's parts compute, one after the other. */
function ofParts(node: Tensor<FusedKind>, inputs: readonly Value[], batch: number): Value {
  const known = new Map(node.inputs.map((x, i) => [x, inputs[i]!]))
  let result: Value | undefined
  for (const part of partsOf(node)) {
    result = part.op === 'constant' ? fill([1, ...part.shape], i => (part as Tensor<'constant'>).attributes.data[i]!) : evaluate(part, part.inputs.map(x => known.get(x)!), batch)
    known.set(part, result)
  }
  return result!
}

/** The sum over all samples, divided by `divisor`. */
const overBatch = (shape: Shape, x: Value, divisor: number): Value => {
  const total = new Float64Array(sizeOf(shape))
  x.data.forEach((value, i) => (total[i % total.length]! += value))
  return { shape: [1, ...shape], data: total.map(value => value / divisor) }
}

/** Folds every window over the elements that lie inside the image. */
const pool = (node: Tensor<'maxPool' | 'averagePool'>, x: Value, batch: number, start: number, f: (total: number, value: number) => number, finish: (total: number, inside: number) => number): Value => {
  const { size, strides, padding } = node.attributes
  const [, height, width, channels] = x.shape as [number, number, number, number]
  const [rows, columns] = node.shape as [number, number]
  return fill(valueShape(node, batch), i => {
    const channel = i % channels
    const column = Math.floor(i / channels) % columns
    const row = Math.floor(i / channels / columns) % rows
    const image = Math.floor(i / channels / columns / rows)
    let [total, inside] = [start, 0]
    for (let dy = 0; dy < size[0]; dy++) {
      const y = row * strides[0] + dy - padding[0][0]
      for (let dx = 0; dx < size[1]; dx++) {
        const at = column * strides[1] + dx - padding[1][0]
        if (y < 0 || y >= height || at < 0 || at >= width) continue
        total = f(total, x.data[((image * height + y) * width + at) * channels + channel]!)
        inside++
      }
    }
    return finish(total, inside)
  })
}

const permute = (x: Value, perm: readonly number[]): Value => {
  const shape = perm.map(axis => x.shape[axis]!)
  const strides = denseStrides(x.shape)
  const data = new Float64Array(x.data.length)
  walk(shape, [perm.map(axis => strides[axis]!)], (i, [at]) => (data[i] = x.data[at!]!))
  return { shape, data }
}

/** The value of one node from its inputs' values. */
export const evaluate = (node: Tensor, inputs: readonly Value[], batch: number): Value => {
  const meaning = (definitions as Partial<Record<OpKind, Meaning<never>>>)[node.op]
  if (meaning === undefined) throw new Error(`${node.op} is a leaf: its value is given`)
  return meaning(node as never, inputs, batch)
}

