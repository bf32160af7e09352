import fc from 'fast-check'
import { cpu } from '../../src/backends/cpu/index.js'
import type { Device } from '../../src/backends/device.js'
import { reference } from '../../src/backends/reference/index.js'
import { tfjsDevice } from '../../src/backends/tfjs/device.js'
import { lowerings } from '../../src/backends/tfjs/lowerings.js'
import { tfjsWasm } from '../../src/backends/tfjs-wasm/index.js'
import { registerSlices } from '../../src/backends/tfjs-wasm/slices.js'
import { wasm } from '../../src/backends/wasm/index.js'
import { collectNodes } from '../../src/graph/graph.js'
import { gradient } from '../../src/graph/gradient/gradient.js'
import { evaluate } from '../../src/ops/definition/define.js'
import { fill, type Value } from '../../src/ops/definition/value.js'
import * as ops from '../../src/ops/ops.js'
import { isLeaf, isOp, valueShape, type Tensor } from '../../src/ops/tensor.js'
import { limits } from './measure.js'
import { inputsOf } from './subject.js'
import type { OpCase, OpSubject } from './ops.js'

/** What an op does on one device: the largest errors, or what is the matter with the smallest case that fails. */
export interface Lowered {
  readonly op: string
  readonly device: string
  readonly forward: Verdict
  readonly gradient: Verdict | undefined
}
export interface Verdict {
  readonly error: number
  readonly failure?: string
}

/** The devices of this machine, by name; tfjs's wasm with and without kernels of our own, and the native one where tfjs-node has been loaded. */
export const devices = async (): Promise<readonly (readonly [string, Device])[]> => {
  const opened = await Promise.all([reference, cpu, wasm, tfjsWasm].map(async backend => {
    const result = await backend.open()
    if (result._tag === 'Left') throw new Error(result.left.sentence)
    return [backend.name, result.right] as const
  }))
  const tf = await import('@tensorflow/tfjs-core')
  registerSlices(tf)
  const plain = tfjsDevice('wasm, kernels of tfjs', tf, 'wasm', lowerings) as Device
  const native = tf.findBackend('tensorflow') === null ? [] : [['native', tfjsDevice('native', tf, 'tensorflow', lowerings) as Device] as const]
  return [...opened.slice(0, 2), [plain.name, plain], ...opened.slice(2), ...native]
}

interface Built {
  readonly leaves: readonly Tensor[]
  readonly values: readonly Float32Array[]
  readonly root: Tensor
}

const built = (one: OpCase): Built => {
  const isWeight = (i: number): boolean => one.weights?.includes(i) ?? false
  const leaves = one.shapes.map((shape, i) => (isWeight(i) ? ops.parameter(`w${i}`, shape, { kind: 'zeros' }) : ops.input(`x${i}`, shape)))
  const values = inputsOf({ ...one, shapes: leaves.map(leaf => valueShape(leaf, one.batch)), define: x => x! }).map(({ data }) => Float32Array.from(data))
  const root = new Function('ops', ...'abcdefgh'.slice(0, leaves.length), `return ${one.code}`)(ops, ...leaves) as Tensor
  return { leaves, values, root }
}

/** A sum of the elements of a tensor with weights that differ, as one number all samples share. */
const lossOf = (y: Tensor): Tensor => {
  const count = y.shape.reduce((product, size) => product * size, 1)
  const weighted = ops.multiply(y, ops.constant(Float32Array.from({ length: count }, (_, i) => ((i * 5) % 7) / 4 - 0.5), y.shape))
  const shared = weighted.batched ? ops.batchMean(weighted) : weighted
  return ops.sum(shared, shared.shape.map((_, axis) => axis))
}

/** Roots in double precision, by definition. */
const defined = (roots: readonly Tensor[], { leaves }: Built, values: readonly ArrayLike<number>[], batch: number): readonly Value[] => {
  const known = new Map<Tensor, Value>(leaves.map((leaf, i) => [leaf, fill(valueShape(leaf, batch), at => values[i]![at]!)]))
  for (const node of collectNodes(roots)) if (!known.has(node)) known.set(node, isOp(node, 'constant') ? fill([1, ...node.shape], i => node.attributes.data[i]!) : evaluate(node, node.inputs.map(x => known.get(x)!), batch))
  return roots.map(root => known.get(root)!)
}

/** Roots on a device, kernel by kernel, in no other order than they stand. */
const ran = async (device: Device, roots: readonly Tensor[], { leaves, values }: Built, batch: number): Promise<readonly ArrayLike<number>[]> => {
  const buffers = new Map<Tensor, unknown>()
  const made: unknown[] = []
  const keep = (buffer: unknown): unknown => (made.push(buffer), buffer)
  try {
    for (const node of collectNodes(roots)) {
      if (isLeaf(node)) {
        const data = isOp(node, 'constant') ? node.attributes.data : values[leaves.indexOf(node)]!
        buffers.set(node, keep(device.upload(data.slice(), valueShape(node, batch), node.dtype)))
        continue
      }
      const kernel = device.kernel(node, batch)
      if (kernel._tag === 'Left') throw new Error(`no kernel ${kernel.left.join(', ')}`)
      const { adapt, run } = kernel.right
      const inputs = node.inputs.map((x, i) => (adapt?.input === i ? keep(adapt.make(buffers.get(x))) : buffers.get(x)))
      buffers.set(node, keep(run(inputs)))
    }
    return await Promise.all(roots.map(root => device.download(buffers.get(root))))
  } finally {
    for (const buffer of new Set(made)) device.free(buffer)
  }
}

const distance = (got: ArrayLike<number>, should: ArrayLike<number>): number => {
  if (got.length !== should.length) return Infinity
  const largest = Array.from(should).reduce((most, v) => (Number.isNaN(v) ? most : Math.max(most, Math.abs(v))), 1)
  return Array.from(should).reduce((most, v, i) => (Number.isNaN(v) ? most : Number.isNaN(got[i]) ? Infinity : Math.max(most, Math.abs(v - got[i]!) / largest)), 0)
}

const forwardError = async (device: Device, one: OpCase): Promise<number> => {
  const b = built(one)
  const [got] = await ran(device, [b.root], b, one.batch)
  return distance(got!, defined([b.root], b, b.values, one.batch)[0]!.data)
}

/** Central differences of the definition, extrapolated once; NaN at a kink. */
const slopes = (loss: Tensor, b: Built, batch: number): readonly (readonly number[])[] => {
  const at = (leaf: number, element: number, by: number): number => defined([loss], b, b.values.map((v, i) => (i === leaf ? Float64Array.from(v, (x, j) => (j === element ? x + by : x)) : v)), batch)[0]!.data[0]!
  const here = at(0, 0, 0)
  return b.values.map((values, i) => Array.from(values, (_, j) => {
    const h = 1e-3
    const [below, above, near] = [at(i, j, -h), at(i, j, h), (at(i, j, h / 2) - at(i, j, -h / 2)) / h]
    const central = (above - below) / (2 * h)
    return Math.abs(above - 2 * here + below) / h > 0.05 * Math.max(1, Math.abs(central)) ? NaN : (4 * near - central) / 3
  }))
}

const gradientError = async (device: Device, one: OpCase): Promise<number> => {
  const b = built(one)
  const loss = lossOf(b.root)
  const { of } = gradient(loss, b.leaves)
  const wanted = b.leaves.flatMap((leaf, i) => (of.has(leaf) ? [[i, of.get(leaf)!] as const] : []))
  const should = slopes(loss, b, one.batch)
  const got = await ran(device, wanted.map(([, node]) => node), b, one.batch)
  // What gets no gradient has none: its slopes are 0.
  const missing = b.leaves.flatMap((leaf, i) => (of.has(leaf) ? [] : [distance(should[i]!.map(() => 0), should[i]!)]))
  return Math.max(0, ...missing, ...wanted.map(([i], k) => distance(got[k]!, should[i]!)))
}

const seed = 1717

/** Measures an op on a device over `count` drawn cases. */
export const surveyOp = async (device: Device, name: string, { op, cases, smooth }: OpSubject, count: number): Promise<Lowered> => ({
  op,
  device: name,
  forward: await verdict(cases, one => forwardError(device, one), limits.forward, count),
  gradient: smooth ? await verdict(cases.filter(({ kind }) => kind === 'ordinary'), one => gradientError(device, one), limits.gradient, count) : undefined,
})

const verdict = async (cases: fc.Arbitrary<OpCase>, measure: (one: OpCase) => Promise<number>, limit: number, count: number): Promise<Verdict> => {
  let error = 0
  const found = await fc.check(fc.asyncProperty(cases, async one => {
    const here = await measure(one)
    if (here > limit) throw new Error(`is wrong by ${here.toExponential(1)}`)
    error = Math.max(error, here)
  }), { seed, numRuns: count })
  if (!found.failed) return { error }
  const { code, shapes, weights = [], batch } = found.counterexample![0]
  const inputs = shapes.map((shape, i) => `${'abcdefgh'[i]} [${shape.join(', ')}]${weights.includes(i) ? ', a weight' : ''}`).join('; ')
  return { error, failure: `${code} of ${inputs}; batch ${batch}: ${(found.errorInstance as Error).message.split('\n')[0]}` }
}
