import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { cpu } from '../../src/backends/cpu/index.js'
import { reference } from '../../src/backends/reference/index.js'
import { wasm } from '../../src/backends/wasm/index.js'
import { gradient } from '../../src/graph/gradient/gradient.js'
import { OpError } from '../../src/ops/opError.js'
import { input } from '../../src/ops/ops.js'
import type { Tensor } from '../../src/ops/tensor.js'
import { assign } from '../../src/training/detection/assign.js'
import { matchQueries, type Objects } from '../../src/training/detection/matchQueries.js'
import { average, dice, generalisedIou, oneHot, pixelCrossEntropy, setLoss } from '../../src/training/losses.js'
import { problemOf, valueOf } from '../support/either.js'
import { computed } from './computed.js'
import { distance } from './recorded.js'

interface Numbers {
  readonly shape: readonly number[]
  readonly data: readonly number[]
}
/** What PyTorch gives, recorded by test/fixtures/tasks/make.py. */
const recorded = JSON.parse(readFileSync('test/fixtures/tasks/tasks.json', 'utf8')) as {
  readonly losses: readonly { readonly name: string; readonly config: object; readonly given: Readonly<Record<string, Numbers>>; readonly loss: number; readonly gradients: Readonly<Record<string, readonly number[]>>; readonly images?: readonly Objects[] }[]
  readonly assignments: readonly { readonly rows: number; readonly columns: number; readonly cost: readonly number[]; readonly least: number; readonly found: readonly number[] }[]
}

type Given = Readonly<Record<string, Tensor>>
const ours: Readonly<Record<string, (given: Given, config: object) => Tensor>> = {
  pixelCrossEntropy: ({ logits, labels }, config) => pixelCrossEntropy(logits!, labels!, config),
  dice: ({ logits, labels }, config) => dice(logits!, oneHot(labels!, 5), config),
  generalisedIou: ({ boxes, targets }) => average(generalisedIou(boxes!, targets!)),
  setLoss: ({ logits, boxes, classes, targets }, config) => setLoss({ logits: logits!, boxes: boxes! }, { classes: classes!, boxes: targets! }, config),
}
const isInteger = (name: string): boolean => name === 'labels' || name === 'classes'

describe.each([reference, cpu, wasm])('losses of other tasks on $name', backend => {
  it.each(recorded.losses.map(l => [`${l.name} ${JSON.stringify(l.config)}`, l] as const))('%s and its gradients are those of PyTorch', async (_, { name, config, given, loss: expected, gradients }) => {
    const inputs = Object.fromEntries(Object.entries(given).map(([key, { shape }]) => [key, input(key, shape.slice(1), isInteger(key) ? 'int32' : 'float32')]))
    const loss = ours[name]!(inputs, config)
    expect([loss.shape, loss.batched]).toEqual([[], false])
    const wanted = Object.keys(gradients).map(key => inputs[key]!)
    const { of } = gradient(loss, wanted)
    const [value, ...slopes] = await computed(backend, [loss, ...wanted.map(t => of.get(t)!)], Object.entries(given).map(([key, { data }]) => [inputs[key]!, data]))
    expect(distance(value!, [expected])).toBeLessThan(5e-6)
    Object.values(gradients).forEach((slope, i) => expect(distance(slopes[i]!, slope)).toBeLessThan(5e-6))
  })
})

describe('losses of other tasks', () => {
  it('refuse what does not fit, as ops do', () => {
    expect(() => pixelCrossEntropy(input('x', [3, 4, 5]), input('y', [3, 5], 'int32'))).toThrow(OpError)
    expect(() => pixelCrossEntropy(input('x', [3, 4, 5]), input('y', [3, 4], 'int32'), { weights: [1, 2] })).toThrow(/2 weights, but 5 classes/)
    expect(() => dice(input('x', [3, 4, 5]), input('y', [3, 4, 6]))).toThrow(OpError)
    expect(() => generalisedIou(input('a', [3, 5]), input('b', [3, 5]))).toThrow(/boxes of four numbers/)
    expect(() => setLoss({ logits: input('l', [3, 5]), boxes: input('b', [2, 4]) }, { classes: input('c', [3], 'int32'), boxes: input('t', [3, 4]) })).toThrow(OpError)
  })
})

describe('an assignment', () => {
  it.each(recorded.assignments.map(a => [`${a.rows} of ${a.columns}`, a] as const))('of %s costs as little as scipy finds', (_, { rows, columns, cost, least, found }) => {
    const assigned = assign(cost, rows, columns)
    expect(new Set(assigned).size).toBe(rows)
    expect(assigned.reduce((sum, column, row) => sum + cost[row * columns + column]!, 0)).toBeCloseTo(least, 6)
    expect([...assigned]).toEqual(found)
  })

  it('of nothing is nothing', () => {
    expect(assign([], 0, 3)).toEqual(new Int32Array(0))
  })
})

describe('matched queries', () => {
  const { given, images } = recorded.losses.find(l => l.name === 'setLoss')!
  const outputs = { logits: Float32Array.from(given['logits']!.data), boxes: Float32Array.from(given['boxes']!.data) }

  it("are those of DETR's matcher", () => {
    const { classes, boxes } = valueOf(matchQueries(outputs, images!))
    expect([...classes]).toEqual(given['classes']!.data)
    given['targets']!.data.forEach((value, i) => expect(boxes[i]).toBeCloseTo(value, 6))
  })

  it.each([
    ['objectsMisfit', outputs, images!.slice(1)],
    ['objectsMisfit', outputs, [{ classes: [0], boxes: [1, 2] }, images![1]!, images![2]!]],
    ['tooManyObjects', outputs, [{ classes: Array<number>(6).fill(0), boxes: Array<number>(24).fill(0.5) }, images![1]!, images![2]!]],
    ['notAClass', outputs, [{ classes: [3], boxes: [0.5, 0.5, 1, 1] }, images![1]!, images![2]!]],
    ['notFinite', { ...outputs, boxes: outputs.boxes.map(() => NaN) }, images!],
  ] as const)('are refused with %s where they cannot be found', (code, wrong, objects) => {
    expect(problemOf(matchQueries(wrong, objects as readonly Objects[]))).toMatchObject({ code })
  })
})
