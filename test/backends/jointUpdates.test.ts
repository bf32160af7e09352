import { of } from 'fp-ts/lib/TaskEither.js'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Assignment, AssignmentGroup } from '../../src/backends/assignment.js'
import type { Backend, Device } from '../../src/backends/device.js'
import { jointUpdates } from '../../src/backends/jointUpdates.js'
import { openSession } from '../../src/backends/openSession.js'
import { planBytes } from '../../src/backends/planBytes.js'
import { plannedOn } from '../../src/backends/planned.js'
import { prepare, type Routine, type Update } from '../../src/backends/prepare.js'
import { kernelDevice } from '../../src/backends/tfjs/kernelDevice.js'
import { Crew } from '../../src/backends/wasm/heap/crew.js'
import { Heap, newMemory } from '../../src/backends/wasm/heap/heap.js'
import { heapHost } from '../../src/backends/wasm/heap/heapHost.js'
import { assignmentCode } from '../../src/backends/wasm/kernels/assignmentCode.js'
import { bytesFor, instantiate } from '../../src/backends/wasm/kernels/instantiate.js'
import { RUN, sharedKernels } from '../../src/backends/wasm/kernels/native.js'
import { wasmLowerings } from '../../src/backends/wasm/lowerings.js'
import { crossEntropy } from '../../src/training/losses/crossEntropy.js'
import { adam } from '../../src/training/optimisers/adam.js'
import { adamw } from '../../src/training/optimisers/adamw.js'
import { sgd } from '../../src/training/optimisers/sgd.js'
import { trainingRoutines } from '../../src/training/routines/trainingRoutines.js'
import * as ops from '../../src/ops/ops.js'
import type { Tensor } from '../../src/ops/tensor.js'
import { sizeOf } from '../../src/shape/shape.js'
import { vitRecipe } from '../../recipes/vit.js'
import { valueOf } from '../support/either.js'

/** A device whose jobs are shared by three threads, however small. */
const memory = newMemory()
const module = new WebAssembly.Module(bytesFor(memory, false))
const native = instantiate(module, memory)
const crew = new Crew({ module, memory, native }, { threads: 3, leastNanoseconds: 0 })
const heap = new Heap(memory)
const device = kernelDevice(heapHost('wasm', heap, native, false, crew), wasmLowerings) as Device
beforeAll(async () => {
  crew.run(sharedKernels.indexOf('fill'), 2, 1e6, [64, 0, 0], 0, 0)
  while (crew.ready < 2) await new Promise(resolve => setTimeout(resolve, 1))
})
afterAll(() => crew.close())

/** The same without assignments: each new value is computed like any result. */
const { assignment: compile, ...oneByOne } = device
const done: number[] = []
const counting: Device = { ...device, assignment: how => {
  const run = compile!(how)
  return run && (groups => (done.push(groups.length), run(groups)))
} }

const parameter = (name: string, shape: readonly number[]): Tensor<'parameter'> => ops.parameter(name, shape, { kind: 'zeros' }, 'buffer')
const binary = ['add', 'subtract', 'multiply', 'divide', 'minimum', 'maximum'] as const

/** Parameters of two sizes and single numbers, what is made of them and of an input, and which of it becomes new values. */
const routine = fc
  .record({
    sizes: fc.array(fc.constantFrom([1], [3], [4], [31], [2, 3, 6], [RUN], [2 * RUN + 1]), { minLength: 2, maxLength: 2 }),
    steps: fc.array(fc.record({ op: fc.constantFrom(...binary, 'sqrt' as const, 'tanh' as const), a: fc.nat(), b: fc.nat() }), { minLength: 3, maxLength: 24 }),
    updates: fc.array(fc.nat(), { minLength: 10, maxLength: 10 }),
    output: fc.nat(),
  })
  .map(({ sizes, steps, updates, output }): Routine => {
    const x = ops.input('x', [3])
    const singles = [parameter('rate', []), parameter('step', [])]
    const nodes: Tensor[][] = sizes.map((shape, i) => [...Array.from({ length: 4 }, (_, j) => parameter(`p${i}${j}`, shape)), ops.multiply(parameter(`q0${i}`, shape), ops.sum(ops.batchSum(x), [0])), ...singles])
    for (const { op, a, b } of steps) {
      // The same step on both sizes, as an optimiser's, so that there is something to join.
      for (const list of nodes) {
        const [left, right] = [list[a % list.length]!, list[b % list.length]!]
        list.push(op === 'sqrt' || op === 'tanh' ? ops[op](left) : ops[op](left, right))
      }
    }
    const fitting = nodes.map((list, i) => list.filter(n => n.shape.length === sizes[i]!.length && sizeOf(n.shape) === sizeOf(sizes[i]!)))
    const changed = fitting.flatMap(list => [0, 1, 2, 3].map((j): Update => ({ parameter: list[j] as Tensor<'parameter'>, value: list[updates[j]! % list.length]! })))
    const last = nodes[0]![output % nodes[0]!.length]!
    return { inputs: { x }, outputs: { last, of: ops.sum(ops.batchSum(x), [0]) }, updates: [...changed, { parameter: singles[1]!, value: ops.add(singles[1]!, ops.scalar(1)) }] }
  })

const given = (node: Tensor<'parameter'>): Float32Array => Float32Array.from({ length: sizeOf(node.shape) }, (_, i) => Math.sin(i * 1.7 + node.attributes.name.charCodeAt(2)) + 0.5)

describe('updates that are done together', () => {
  it('give the bits that they give one by one, whatever else reads what they write', async () => {
    await fc.assert(
      fc.asyncProperty(routine, async run => {
        const { parameters } = valueOf(prepare({ run }))
        const weights = new Map(parameters.map(p => [p.attributes.name, given(p)]))
        const open = async (on: Device) => valueOf(await openSession({ run }, { backend: { name: 'wasm', open: of(on) } satisfies Backend, weights })())
        const [together, apart] = [await open(counting), await open(oneByOne)]
        for (let step = 0; step < 3; step++) {
          const x = Float32Array.of(step, 1, 2, -1, 0.5, 0.25)
          expect(valueOf(await together.run('run', { x })())).toEqual(valueOf(await apart.run('run', { x })()))
          expect(valueOf(await together.read()())).toEqual(valueOf(await apart.read()()))
        }
        together.dispose()
        apart.dispose()
      }),
      { seed: 35, numRuns: process.env['VITRAIL_DEEP'] === '1' ? 2000 : 60 },
    )
    expect(done.filter(groups => groups > 1).length).toBeGreaterThan(30)
  })

  const [w, p, q] = [parameter('one', [2, 3]), parameter('two', [6]), parameter('three', [2, 3])]
  const x = ops.input('x', [2, 3])
  const value = ops.softmax(ops.add(ops.batchMean(x), w))
  const wide = ops.broadcast(w, [2, 3], true)
  const doubled: Update = { parameter: w, value: ops.multiply(w, ops.scalar(2)) }

  it.each<readonly [string, Readonly<Record<string, Tensor>>, readonly Update[]]>([
    ['another parameter took by another shape', {}, [{ parameter: p, value: ops.reshape(w, [6]) }]],
    ['another parameter took as it was', {}, [{ parameter: q, value: ops.broadcast(w, [2, 3]) }]],
    ['another parameter took by another shape when it was new', {}, [{ parameter: p, value: ops.reshape(value, [6]) }, { parameter: w, value }]],
    ['was spread over a batch of one, and is read in that form afterwards', { wide: ops.add(wide, x) }, [{ parameter: q, value: ops.batchMean(ops.softmax(wide)) }, doubled]],
  ])('leave alone what %s', async (_, outputs, updates) => {
    const routines: Readonly<Record<string, Routine>> = { first: { inputs: { x }, outputs: { x, ...outputs }, updates }, second: { inputs: { x }, outputs: { x }, updates: [doubled] } }
    const read = async (on: Device) => {
      const weights = new Map(valueOf(prepare(routines)).parameters.map(node => [node.attributes.name, given(node)]))
      using session = valueOf(await openSession(routines, { backend: { name: 'wasm', open: of(on) }, weights })())
      for (const name of ['first', 'second']) valueOf(await session.run(name, { x: new Float32Array(6) })())
      return valueOf(await session.read()())
    }
    expect(await read(device)).toEqual(await read(oneByOne))
  })

  it('are seen one by one where every result is looked at, and change nothing then', async () => {
    const [w, g] = [parameter('w', [40]), parameter('g', [40])]
    const run: Routine = { inputs: {}, outputs: { g: ops.multiply(g, g) }, updates: [{ parameter: w, value: ops.divide(g, w) }] }
    const weights = new Map([['w', new Float32Array(40)], ['g', new Float32Array(40).fill(2)]])
    using session = valueOf(await openSession({ run }, { backend: { name: 'wasm', open: of(counting) }, weights })())
    expect(valueOf(await session.firstNotFinite('run', {})())?.op).toBe('divide')
    expect(valueOf(await session.read()())).toEqual(new Map([['w', new Float32Array(40)]]))
    valueOf(await session.run('run', {})())
    expect(valueOf(await session.read(['w'])()).get('w')).toEqual(new Float32Array(40).fill(Infinity))
  })
})

const model = vitRecipe({ imageSize: 8, channels: 1, patchSize: 4, dim: 8, depth: 2, numHeads: 2, mlpRatio: 2, numClasses: 3 }).model
const parts = { loss: crossEntropy, clipNorm: 1, average: 0.9, layerDecay: 0.5 }
const subjects = [
  ['adamw', adamw({ weightDecay: 0.1 })],
  ['adam with amsgrad', adam({ amsgrad: true })],
  ['sgd', sgd()],
  ['sgd with all it can have', sgd({ momentum: 0.9, dampening: 0.1, weightDecay: 0.1 })],
] as const

describe.each(subjects)('the training step of %s', (name, optimiser) => {
  const { routines } = valueOf(trainingRoutines(model, { ...parts, optimiser }))
  const prepared = valueOf(prepare(routines as Readonly<Record<string, Routine>>))
  const train = prepared.routines.get('train')!

  it('is one assignment for all parameters that take the same steps, and leaves nothing after it', () => {
    const groups: (readonly AssignmentGroup<Tensor>[])[] = []
    const { each, before, updates, assignments } = jointUpdates(train, how => (assignmentCode(how, true) === undefined ? undefined : () => undefined))
    assignments.forEach(one => groups.push(one.groups))
    // Those that decay and those that do not.
    expect(groups.length).toBe(name === 'adamw' || name.startsWith('sgd with') ? 2 : 1)
    expect(groups.flat().flatMap(({ targets }) => targets).length).toBe(train.updates.length)
    expect(updates).toEqual([])
    expect(each.slice(before).filter(({ op }) => op !== 'parameter')).toEqual([])
  })

  it('holds no more than without', () => {
    const peakOn = (on: Device): number => planBytes(prepared, valueOf(plannedOn(on, train, 2)), 0).peak
    expect(peakOn(device)).toBeLessThanOrEqual(peakOn(oneByOne))
  })
})

describe('updates that are left as they are', () => {
  const [w, g] = [parameter('w', [4]), parameter('g', [4])]
  const how = (updates: readonly Update[], outputs: Readonly<Record<string, Tensor>> = {}, takes: (how: Assignment) => boolean = () => true) => {
    const run = valueOf(prepare({ run: { inputs: {}, outputs: { ...outputs, g }, updates } }, ['g'])).routines.get('run')!
    return jointUpdates(run, one => (takes(one) ? () => undefined : undefined)).updates.map(({ parameter: { attributes } }) => attributes.name)
  }

  it.each<readonly [string, readonly Update[], readonly string[]]>([
    ['a parameter that another update takes as it was', [{ parameter: w, value: ops.add(w, w) }, { parameter: g, value: w }], ['w', 'g']],
    ['a parameter that another update takes by another shape', [{ parameter: w, value: ops.add(w, w) }, { parameter: parameter('r', [2, 2]), value: ops.exp(ops.reshape(w, [2, 2])) }], ['w', 'r']],
    ['steps that repeat an operand', [{ parameter: parameter('m', [3, 4]), value: ops.add(parameter('m', [3, 4]), w) }], ['m']],
    ['steps that are none', [{ parameter: w, value: ops.softmax(w) }], ['w']],
    ['steps on what the outputs do not need', [{ parameter: w, value: ops.add(w, ops.softmax(g)) }], ['w']],
  ])('%s', (_, updates, left) => expect(how(updates)).toEqual(left))

  it('steps that the device does not know', () => {
    const updates = [{ parameter: w, value: ops.multiply(w, g) }]
    expect(how(updates)).toEqual([])
    expect(how(updates, {}, () => false)).toEqual(['w'])
    expect(assignmentCode({ isSingle: [false], steps: [{ op: 'tanh', of: [0] }], results: [0] }, true)).toBeUndefined()
  })

  it('but those on what an output needs anyway are done together', () => {
    const soft = ops.softmax(g)
    expect(how([{ parameter: w, value: ops.add(w, soft) }], { soft })).toEqual([])
  })
})

describe('the code of an assignment', () => {
  it('writes its targets, all of them and nothing beside them', () => {
    const how: Assignment = { isSingle: [false, false, true], steps: [{ op: 'multiply', of: [1, 2] }, { op: 'subtract', of: [0, 3] }], results: [1] }
    for (const size of [1, 2, 3, 4, 5, 15, 16, 17, 1023, 1024, 1025, 5000]) {
      const own = new WebAssembly.Memory({ initial: 2, maximum: 65536, shared: true })
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(assignmentCode(how, true)!), { env: { memory: own } })
      const [floats, ints] = [new Float32Array(own.buffer).fill(7), new Int32Array(own.buffer)]
      // Two groups: one of `size` numbers, one of three.
      const [w, g, rate, w2, g2] = [1000, 1000 + size + 1, 900, 12_000, 12_010]
      floats.set([0.5], rate)
      const table = [4 * size, Math.ceil(size / RUN), 4 * w, 4 * g, 4 * rate, 4 * w, 12, 1, 4 * w2, 4 * g2, 4 * rate, 4 * w2]
      ints.set(table, 100)
      const expected = floats.slice()
      for (const [at, from, count] of [[w, g, size], [w2, g2, 3]] as const) {
        for (let i = 0; i < count; i++) {
          floats[from + i] = expected[from + i] = i
          expected[at + i] = 7 - i / 2
        }
      }
      const run = exports['run'] as (...operands: number[]) => void
      const units = Math.ceil(size / RUN) + 1
      for (let unit = units - 1; unit >= 0; unit -= 2) run(0, 0, 400, 0, Math.max(0, unit - 1), unit + 1)
      expect(floats.findIndex((value, at) => value !== expected[at])).toBe(-1)
    }
  })
})
