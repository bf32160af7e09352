import { describe, expect, it } from 'vitest'
import { cpu } from '../../src/backends/cpu/index.js'
import { reference } from '../../src/backends/reference/index.js'
import { wasm } from '../../src/backends/wasm/index.js'
import { gradient } from '../../src/graph/gradient/gradient.js'
import { vectorise } from '../../src/graph/vectorise.js'
import { OpError } from '../../src/ops/opError.js'
import { input, linear, parameter, tanh } from '../../src/ops/ops.js'
import type { Tensor } from '../../src/ops/tensor.js'
import { attentionRegularised, average, contrastive, crossEntropy, distillation, divergence, focal, headRedundancy, lossOf, maskedMeanSquared, meanSquared, oneHot, patchify, tokenLabelling } from '../../src/training/losses.js'
import { problemOf, valueOf } from '../support/either.js'
import { computed } from './computed.js'
import { distance, recorded } from './recorded.js'

const [logits, targets] = [input('logits', [4]), input('targets', [4])]
const slope = (loss: Tensor, of: Tensor): Tensor => gradient(loss, [of]).of.get(of)!

describe.each([reference, cpu, wasm])('losses on $name', backend => {
  it.each(recorded.losses.map(l => [`${l.name} ${JSON.stringify(l.config)}`, l] as const))('%s and its gradient are those of PyTorch, with logits hundreds apart too', async (_, { name, config, logits: at, loss: expected, gradient: slopes }) => {
    const loss = valueOf(lossOf({ name, config }))(logits, targets)
    expect([loss.shape, loss.batched]).toEqual([[], false])
    const [ours, ourSlopes] = await computed(backend, [loss, slope(loss, logits)], [[logits, at], [targets, recorded.targets]])
    expect(distance(ours!, [expected])).toBeLessThan(2e-6)
    expect(distance(ourSlopes!, slopes)).toBeLessThan(2e-6)
  })

  it('the redundancy of heads and its gradient are those of matrix norms', async () => {
    const { shape, weights, penalty, gradient: slopes } = recorded.attention
    const maps = input('maps', shape)
    const loss = headRedundancy(maps)
    const [ours, ourSlopes] = await computed(backend, [loss, slope(loss, maps)], [[maps, weights]])
    expect(distance(ours!, [penalty])).toBeLessThan(2e-6)
    expect(distance(ourSlopes!, slopes)).toBeLessThan(2e-6)
  })

  it('the gradient at the largest of many logits is as near as at the others', async () => {
    const classes = 1000
    const [student, teacher] = [input('student', [classes]), input('teacher', [classes])]
    const [s, t] = [3, 5].map(step => Array.from({ length: classes }, (_, i) => Math.fround(0.25 * Math.sin(step * i + 1))))
    // What softmax of one has more than that of the other, in double precision.
    const shares = (x: readonly number[]): readonly number[] => x.map(value => Math.exp(value) / x.reduce((sum, each) => sum + Math.exp(each), 0))
    const [p, q] = [shares(s!), shares(t!)]
    const [ours] = await computed(backend, [slope(average(divergence(student, teacher)), student)], [[student, s!], [teacher, t!]])
    const furthest = Math.max(...ours!.map((slope, i) => Math.abs(slope - (p[i]! - q[i]!))))
    expect(furthest / Math.max(...p.map((share, i) => Math.abs(share - q[i]!)))).toBeLessThan(1e-5)
  })

  it('class numbers become distributions', async () => {
    const labels = input('labels', [2], 'int32')
    const [ours] = await computed(backend, [oneHot(labels, 3)], [[labels, [0, 2, 1, 1]]])
    expect([...ours!]).toEqual([1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 0])
  })

  it('a penalty weighs in by the mean over maps', async () => {
    const maps = ['a', 'b'].map(name => input(name, [2, 1, 2]))
    // Heads that look at the same token: [[1, 1], [1, 1]] less the identity has a square of 2; apart, of 0.
    const given = [[logits, [1, 2, 3, 4]], [targets, [0, 0, 0, 1]], [maps[0]!, [1, 0, 1, 0]], [maps[1]!, [1, 0, 0, 1]]] as const
    const [plain, regularised] = await computed(backend, [crossEntropy(logits, targets), attentionRegularised(logits, targets, maps, { weight: 0.5 })], given)
    expect(regularised![0]! - plain![0]!).toBeCloseTo(0.5, 5)
  })

  it('a teacher that prefers two classes alike teaches both', async () => {
    const [student, teacher] = [input('student', [3]), input('teacher', [3])]
    const loss = distillation(crossEntropy(student, teacher), student, teacher, { alpha: 1 })
    const [ours] = await computed(backend, [loss], [[student, [0, Math.log(2), Math.log(5)]], [teacher, [7, -1, 7]]])
    expect(ours![0]).toBeCloseTo(-0.5 * Math.log(1 / 8) - 0.5 * Math.log(5 / 8), 5)
  })
})

describe('samples that are compared with each other', () => {
  it('may come from encoders of one sample, lifted over an axis of samples', async () => {
    const [image, text, weight, scale] = [input('image', [3]), input('text', [2]), parameter('w', [2, 3], { kind: 'zeros' }), parameter('scale', [], { kind: 'zeros' })]
    const [images, texts] = [input('images', [4, 3]), input('texts', [4, 2])]
    const lift = vectorise(4, new Map<Tensor, Tensor>([[image, images], [text, texts]]))
    const encode = tanh(linear(image, weight))
    const loss = contrastive(lift(encode), lift(text), scale)
    const values = [0.3, -0.2, 0.9, 0.4, 0.5, -0.6, 1, 2, -3, -0.7, 0.1, 0.2]
    const words = [1, 0.2, -0.3, 1, 0.5, 0.5, -1, 0.4]
    const shared = [[weight, [0.1, 0.2, -0.3, 0.5, -0.4, 0.7]], [scale, [3]]] as const
    const [whole, slopes] = await computed(reference, [loss, slope(loss, weight)], [[images, values], [texts, words], ...shared])
    const [codes] = await computed(reference, [encode], [[image, values], [text, words], ...shared])
    const [a, b] = ['a', 'b'].map(name => parameter(name, [4, 2], { kind: 'zeros' })) as [Tensor, Tensor]
    const [apart] = await computed(reference, [contrastive(a, b, scale)], [[a, [...codes!]], [b, words], shared[1]])
    expect(whole![0]).toBeCloseTo(apart![0]!, 6)
    expect(Math.max(...slopes!.map(Math.abs))).toBeGreaterThan(1e-3)
  })
})

describe('patches', () => {
  it('are read row by row, each by row, column and channel', async () => {
    const x = input('x', [4, 2, 2])
    const [ours] = await computed(reference, [patchify(x, 2)], [[x, Array.from({ length: 16 }, (_, i) => i)]])
    expect([...ours!]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
    const wide = input('wide', [2, 4, 1])
    const [columns] = await computed(reference, [patchify(wide, 2)], [[wide, [0, 1, 2, 3, 4, 5, 6, 7]]])
    expect([...columns!]).toEqual([0, 1, 4, 5, 2, 3, 6, 7])
  })
})

describe('what does not fit', () => {
  const [five, tokens] = [input('five', [5]), input('tokens', [9, 4])]
  it.each<[string, () => unknown, string]>([
    ['targets of other classes', () => crossEntropy(logits, five), 'crossEntropy: logits are 4, but targets are 5'],
    ['a target that would broadcast', () => meanSquared(logits, input('one', [1])), 'meanSquared: predictions are 4, but targets are 1'],
    ['a weight for each of other classes', () => focal(logits, targets, { alpha: [1, 2] }), 'focal: alpha (loss.config.alpha) has 2 weights, but there are 4 classes'],
    ['maps without heads', () => headRedundancy(tokens), 'headRedundancy: expects attention weights of heads×queries×keys, got 9×4'],
    ['no maps', () => attentionRegularised(logits, targets, []), 'attentionRegularised: expects at least one attention map'],
    ['a teacher of other classes', () => distillation(crossEntropy(logits, targets), logits, five), "distillation: the student's logits are 4, but the teacher's are 5"],
    ['labels of other tokens', () => tokenLabelling(logits, tokens, { image: targets }, { tokens: input('labels', [8, 4]) }), 'crossEntropy: logits are 9×4, but targets are 8×4'],
    ['samples that are no axis', () => contrastive(logits, targets, parameter('scale', [], { kind: 'ones' })), 'contrastive: expects samples×dim, with the samples to compare on an axis of their own, got 4'],
    ['an image that does not divide', () => patchify(input('x', [6, 8, 3]), 4), 'patchify: 6×8×3 does not divide into patches of 4×4'],
    ['a mask of other patches', () => maskedMeanSquared(tokens, input('patches', [9, 4]), five), 'maskedMeanSquared: patches are 9, but mask are 5'],
  ])('%s', (_, make, sentence) => {
    expect(make).toThrow(new OpError(sentence))
  })

  it.each([
    [{ name: 'hinge' }, 'unknownName'],
    [{ name: 'crossEntropy', config: { smoothing: 2 } }, 'badOption'],
    [{ name: 'focal', config: { alpha: 0.25 } }, 'badOption'],
    [{ name: 'meanSquared', config: { smoothing: 0.1 } }, 'unknownOption'],
  ])('a loss by name, %j, is refused: %s', (given, code) => {
    expect(problemOf(lossOf(given)).code).toBe(code)
  })
})
