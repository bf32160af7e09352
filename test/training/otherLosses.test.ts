import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { cpu } from '../../src/backends/cpu/index.js'
import { reference } from '../../src/backends/reference/index.js'
import { wasm } from '../../src/backends/wasm/index.js'
import { gradient } from '../../src/graph/gradient/gradient.js'
import { collectNodes } from '../../src/graph/graph.js'
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
    expect(() => pixelCrossEntropy(input('x', [3, 4, 5]), input('y', [3, 4], 'int32'), { ignore: -100 })).toThrow(/none can be -100/)
    expect(() => dice(input('x', [3, 4, 5]), input('y', [3, 4, 6]))).toThrow(OpError)
    expect(() => generalisedIou(input('a', [3, 5]), input('b', [3, 5]))).toThrow(/boxes of four numbers/)
    expect(() => setLoss({ logits: input('l', [3, 5]), boxes: input('b', [2, 4]) }, { classes: input('c', [3], 'int32'), boxes: input('t', [3, 4]) })).toThrow(OpError)
  })
})

describe('the loss of a set', () => {
  it('of images without any object is that of the classes alone', async () => {
    const [logits, boxes, targets, classes] = [input('logits', [2, 5]), input('boxes', [2, 4]), input('targets', [2, 4]), input('classes', [2], 'int32')]
    const [loss] = await computed(reference, [setLoss({ logits, boxes }, { classes, boxes: targets })], [[logits, Array<number>(20).fill(0)], [boxes, Array<number>(16).fill(0.2)], [targets, Array<number>(16).fill(0.5)], [classes, [4, 4, 4, 4]]])
    expect(loss![0]).toBeCloseTo(Math.log(5), 6)
  })
})

describe('the cross-entropy of pixels', () => {
  it('makes nothing wider than its classes, whatever number pixels without one have', () => {
    const widest = (ignore: number): number => Math.max(...collectNodes([pixelCrossEntropy(input('logits', [8, 8, 3]), input('labels', [8, 8], 'int32'), { ignore })]).filter(node => node.shape.length === 3).map(node => node.shape[2]!))
    expect([widest(1), widest(255)]).toEqual([3, 3])
  })
})

describe('an assignment', () => {
  it.each(recorded.assignments.map(a => [`${a.rows} of ${a.columns}`, a] as const))('of %s costs as little as scipy finds', (_, { rows, columns, cost, least, found }) => {
    const assigned = valueOf(assign(cost, rows, columns))
    expect(new Set(assigned).size).toBe(rows)
    expect(assigned.reduce((sum, column, row) => sum + cost[row * columns + column]!, 0)).toBeCloseTo(least, 6)
    expect([...assigned]).toEqual(found)
  })

  it('of nothing is nothing', () => {
    expect(valueOf(assign([], 0, 3))).toEqual(new Int32Array(0))
  })
})

describe('an assignment that cannot be', () => {
  it.each([['tooManyRows', [1, 2, 3, 4, 5, 6], 3, 2], ['costsMisfit', [1, 2, 3], 2, 3], ['notFinite', [1, NaN, 3, 4], 2, 2], ['notFinite', [1, Infinity], 1, 2]] as const)('is refused with %s, and not sought for ever', (code, cost, rows, columns) => {
    expect(problemOf(assign(cost, rows, columns))).toMatchObject({ code })
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

  // DETR's weights by hand: a query with the very box against one that is surer of the class, by less or more than the
  // other box costs: 5 · 0.04 + 2 · (1 − 0.9), and 5 · 0.04 + 2 · (1 − 0.144 / 0.176).
  it.each([
    [[0.5, 0.5, 0.4, 0.36], 0.3, 0.65, 0],
    [[0.5, 0.5, 0.4, 0.36], 0.3, 0.75, 1],
    [[0.54, 0.5, 0.4, 0.4], 0.2, 0.74, 0],
    [[0.54, 0.5, 0.4, 0.4], 0.2, 0.79, 1],
  ] as const)('weigh class, distance and overlap as 1, 5 and 2: %j', (box, sure, surer, query) => {
    const logit = (p: number): readonly number[] => [Math.log(p / (1 - p)), 0]
    const two = { logits: Float32Array.from([...logit(sure), ...logit(surer)]), boxes: Float32Array.from([0.5, 0.5, 0.4, 0.4, ...box]) }
    expect(valueOf(matchQueries(two, [{ classes: [0], boxes: [0.5, 0.5, 0.4, 0.4] }])).classes.indexOf(0)).toBe(query)
  })

  it.each([
    ['objectsMisfit', outputs, images!.slice(1)],
    ['objectsMisfit', outputs, [{ classes: [0], boxes: [1, 2] }, images![1]!, images![2]!]],
    ['tooManyObjects', outputs, [{ classes: Array<number>(6).fill(0), boxes: Array<number>(24).fill(0.5) }, images![1]!, images![2]!]],
    ['notAClass', outputs, [{ classes: [3], boxes: [0.5, 0.5, 1, 1] }, images![1]!, images![2]!]],
    ['notABox', outputs, [{ classes: [0], boxes: [100, 50, 20, 30] }, images![1]!, images![2]!]],
    ['notABox', outputs, [{ classes: [0], boxes: [0.5, 0.5, -0.1, 0.1] }, images![1]!, images![2]!]],
    ['notABox', outputs, [{ classes: [0], boxes: [0.5, NaN, 0.1, 0.1] }, images![1]!, images![2]!]],
    ['notFinite', { ...outputs, boxes: outputs.boxes.map(() => NaN) }, images!],
  ] as const)('are refused with %s where they cannot be found', (code, wrong, objects) => {
    expect(problemOf(matchQueries(wrong, objects as readonly Objects[]))).toMatchObject({ code })
  })

  it('of fewer images than there are, which look like images with more queries, are refused where the number of queries is said', () => {
    const two = { logits: new Float32Array(2 * 3 * 4), boxes: new Float32Array(2 * 3 * 4).fill(0.5) }
    const [nothing] = [{ classes: [], boxes: [] }]
    expect(problemOf(matchQueries(two, [nothing!], { numQueries: 3 }))).toMatchObject({ code: 'objectsMisfit', sentence: 'matchQueries: 24 scores and 24 numbers of boxes are not those of 1 images with 3 queries each' })
    expect([...valueOf(matchQueries(two, [nothing!, nothing!], { numQueries: 3 })).classes]).toEqual([3, 3, 3, 3, 3, 3])
  })
})
