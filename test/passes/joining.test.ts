import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { recipes } from '../../recipes/index.js'
import { multiplyAdds } from '../../src/graph/cost.js'
import { gradient } from '../../src/graph/gradient/gradient.js'
import { collectNodes } from '../../src/graph/graph.js'
import { print } from '../../src/graph/print.js'
import { validate } from '../../src/graph/validate.js'
import type { AnyModel } from '../../src/layers/core/model.js'
import * as ops from '../../src/ops/ops.js'
import { unfused } from '../../src/ops/unfused.js'
import { isOp, tensorsOf, type OpKind, type Signal, type Tensor } from '../../src/ops/tensor.js'
import { convolutionsAsLinear } from '../../src/passes/convolutionsAsLinear.js'
import { foldScales } from '../../src/passes/foldScales.js'
import { foldTransposes } from '../../src/passes/foldTransposes.js'
import { fuseElementwise } from '../../src/passes/fuseElementwise.js'
import { fuseGroupNorm } from '../../src/passes/fuseGroupNorm.js'
import { fuseLinear } from '../../src/passes/fuseLinear.js'
import { gatherMoves } from '../../src/passes/gatherMoves.js'
import { packAttention } from '../../src/passes/packAttention.js'
import type { Pass } from '../../src/passes/pass.js'
import { optimise } from '../../src/passes/pipeline.js'
import { trace } from '../../src/graph/trace.js'
import { evaluateGraph } from '../evaluateGraph.js'
import { valueOf } from '../support/either.js'
import { leaves, randomGraph } from './randomGraph.js'

const nodesOf = (roots: readonly Signal[]): readonly Tensor[] => collectNodes(roots.flatMap(tensorsOf))
/** The roots after a pass, which compute what they did. */
const passed = (pass: Pass, roots: readonly Tensor[]): readonly Signal[] => {
  const after = pass(roots)
  const [old, now] = [roots, after].map(some => evaluateGraph(some, 2, leaves))
  old!.forEach(({ data }, i) => data.forEach((value, at) => expect(Math.abs(now![i]!.data[at]! - value)).toBeLessThan(1e-9)))
  return after
}
const opsOf = (pass: Pass, ...roots: readonly Tensor[]): readonly OpKind[] => nodesOf(passed(pass, roots)).map(n => n.op).filter(op => !['input', 'parameter', 'constant', 'reshape'].includes(op))

const [x, y] = [ops.input('x', [2, 3]), ops.input('y', [2, 3])]
const parameter = (name: string, shape: readonly number[]): Tensor => ops.parameter(name, shape, { kind: 'zeros' })
const [w, b, s, t] = [parameter('w', [3, 3]), parameter('b', [3]), parameter('s', [3]), parameter('t', [3])]
const turned = (z: Tensor): Tensor => ops.transpose(z, [1, 0])
const map = ops.linear(x, w, b)

describe('gradients', () => {
  const shares = (z: Tensor, i: number): Tensor => ops.constant(Float32Array.from({ length: z.shape.reduce((m, n) => m * n, 1) }, (_, at) => Math.sin(at + i + 1)), z.shape)
  const lossOf = (roots: readonly Signal[]): Tensor =>
    roots.flatMap(tensorsOf).filter(z => z.dtype === 'float32').map((z, i) => {
      const total = ops.sum(ops.multiply(z, shares(z, i)), z.shape.map((_, axis) => axis))
      return z.batched ? ops.batchMean(total) : total
    }).reduce<Tensor>((one, other) => ops.add(one, other), ops.scalar(0))

  it('of random graphs are what they were, whether passes come after or before differentiation', () => {
    fc.assert(
      fc.property(randomGraph, roots => {
        const wanted = nodesOf(roots).filter(n => n.op === 'parameter' || n.op === 'input')
        const loss = lossOf(roots)
        const { of } = gradient(loss, wanted)
        const before = [...of.values()]
        const again = gradient(optimise([loss])[0] as Tensor, wanted).of
        for (const after of [optimise(before) as readonly Tensor[], [...of.keys()].map(n => again.get(n) ?? ops.multiply(of.get(n)!, ops.scalar(0)))]) {
          expect(validate(after)).toEqual([])
          const [old, now] = [before, after].map(some => evaluateGraph(some, 2, leaves))
          old!.forEach(({ data }, i) => {
            const scale = data.reduce((most, g) => (Number.isFinite(g) ? Math.max(most, Math.abs(g)) : most), 1)
            data.forEach((g, at) => expect(Object.is(g, now![i]!.data[at]) || Math.abs(g - now![i]!.data[at]!) <= 2e-6 * scale, `${g} became ${now![i]!.data[at]} in\n${print(roots)}`).toBe(true))
          })
        }
      }),
      { seed: 11, numRuns: process.env['VITRAIL_DEEP'] === '1' ? 2000 : 150 },
    )
  })
})

describe('random graphs', () => {
  it('have in them what passes join', () => {
    const made = new Set<string>()
    fc.assert(fc.property(randomGraph, roots => nodesOf(optimise(roots)).forEach(n => void made.add(isOp(n, 'fusedLinear') ? n.attributes.activation : n.op))), { seed: 5, numRuns: 300 })
    expect(['none', 'relu', 'silu', 'erf', 'tanh', 'packedAttention', 'elementwise'].filter(op => !made.has(op))).toEqual([])
  })
})

describe('fuseLinear', () => {
  it.each([
    ['an activation', ops.gelu(map, 'tanh'), 'activation="tanh" residual=false'],
    ['a residual', ops.add(y, map), 'activation="none" residual=true'],
    ['a residual on the other side', ops.add(map, y), 'activation="none" residual=true'],
    ['an activation and a residual', ops.add(ops.relu(map), y), 'activation="relu" residual=true'],
    ['x·σ(x)', ops.multiply(ops.sigmoid(map), map), 'activation="silu" residual=false'],
  ])('takes in %s', (_, root, epilogue) => {
    expect(opsOf(fuseLinear, root)).toEqual(['fusedLinear'])
    expect(print(fuseLinear([root]))).toContain(epilogue)
  })

  it.each([
    ['what another node needs as it is', [ops.gelu(map), ops.exp(map)], ['linear', 'gelu', 'exp']],
    ['what is an output itself', [map, ops.relu(map)], ['linear', 'relu']],
    ['a sum that is broadcast', [ops.add(map, ops.input('z', [1, 3]))], ['linear', 'add']],
    ['an activation of a sum', [ops.gelu(ops.add(map, y))], ['fusedLinear', 'gelu']],
    ['a second residual', [ops.add(ops.add(map, y), x)], ['fusedLinear', 'add']],
    ['a residual that all samples share', [ops.add(map, parameter('r', [2, 3]))], ['linear', 'add']],
  ] as const)('leaves %s', (_, roots, left) => expect(opsOf(fuseLinear, ...roots)).toEqual(left))
})

describe('foldScales', () => {
  const image = ops.input('image', [4, 4, 2])
  const filter = ops.conv2d(image, parameter('f', [3, 2, 2, 2]), undefined, { strides: [2, 2], padding: [[1, 0], [0, 1]], groups: 1 })
  /** The nodes of a run, what depends on weights alone left out. */
  const each = (...roots: readonly Tensor[]): readonly OpKind[] => nodesOf(passed(foldScales, roots)).filter(n => n.batched && n.op !== 'input').map(n => n.op)

  it.each([
    ['batch norm behind a convolution', ops.add(ops.multiply(filter, s), t), ['conv2d']],
    ['layer scale behind a linear map', ops.multiply(s, map), ['linear']],
    ['batch norm behind a map with a bias', ops.add(t, ops.multiply(map, s)), ['linear']],
    ['batch norm between two maps', ops.linear(ops.add(ops.multiply(map, s), t), w, b), ['linear', 'linear']],
    ['batch norm before a linear map', ops.linear(ops.add(ops.multiply(x, s), t), w), ['linear']],
    ['batch norm before a linear map with a bias', ops.linear(ops.multiply(s, ops.add(x, t)), w, b), ['linear']],
  ])('takes in %s', (_, root, left) => expect(each(root)).toEqual(left))

  it.each([
    ['a scale that depends on the batch', [ops.multiply(map, ops.batchMean(ops.mean(x, [0])))], ['linear', 'mean', 'multiply']],
    ['a map that is used unscaled too', [ops.multiply(map, s), map], ['linear', 'multiply']],
    ['a number for each token', [ops.multiply(map, parameter('z', [2, 1]))], ['linear', 'multiply']],
    ['a shift before a convolution, whose border it does not reach', [ops.conv2d(ops.add(image, parameter('z', [2])), parameter('f', [3, 2, 2, 2]), undefined, { strides: [1, 1], padding: [[1, 1], [1, 1]], groups: 1 })], ['add', 'conv2d']],
  ] as const)('leaves %s', (_, roots, left) => expect(each(...roots)).toEqual(left))
})

describe('convolutionsAsLinear', () => {
  const image = ops.input('image', [4, 4, 2])
  const convolution = (size: number, stride: number, pad: number, groups = 1): Tensor => ops.conv2d(image, parameter('f', [2, 2 / groups, size, size]), parameter('g', [2]), { strides: [stride, stride], padding: [[pad, pad], [pad, pad]], groups })
  it('takes those that look at one place', () => expect(opsOf(convolutionsAsLinear, convolution(1, 1, 0))).toEqual(['linear']))
  it.each([[2, 1, 0, 1], [1, 2, 0, 1], [1, 1, 1, 1], [1, 1, 0, 2]])('leaves a kernel of %i, stride %i, padding %i, %i groups', (size, stride, pad, groups) => expect(opsOf(convolutionsAsLinear, convolution(size, stride, pad, groups))).toEqual(['conv2d']))
})

describe('foldTransposes', () => {
  it.each([
    ['a weight that is turned', ops.linear(x, turned(w)), 'matmul %0, %1 transposeA=false transposeB=false'],
    ['a left-hand factor that is turned', ops.matmul(turned(x), y), 'transposeA=true transposeB=false'],
    ['one that is turned back', ops.matmul(turned(x), y, { transposeA: true, transposeB: true }), 'transposeA=false transposeB=true'],
    ['both, twice', ops.matmul(turned(turned(x)), turned(y)), 'transposeA=false transposeB=true'],
  ])('reads %s as it is stored', (_, root, product) => {
    expect(opsOf(foldTransposes, root)).toEqual(['matmul'])
    expect(print(foldTransposes([root]))).toContain(product)
  })
  it('leaves axes that are not the last two', () => expect(opsOf(foldTransposes, ops.matmul(ops.transpose(ops.input('z', [2, 3, 3]), [1, 0, 2]), w))).toEqual(['transpose', 'matmul']))
})

describe('packAttention', () => {
  const qkv = ops.input('qkv', [5, 12])
  const part = (i: number, from = qkv): Tensor => ops.slice(from, [0, 4 * i], [5, 4])
  const attention = (q: Tensor, k: Tensor, v: Tensor): Tensor => ops.attention(q, k, v, { numHeads: 2, scale: 1 })
  it('reads queries, keys and values where they are', () => expect(opsOf(packAttention, attention(part(0), part(1), part(2)))).toEqual(['packedAttention']))
  it.each([
    ['in another order', attention(part(1), part(0), part(2))],
    ['of another tensor', attention(part(0), part(1), part(2, ops.input('other', [5, 12])))],
    ['of a wider one', attention(...([0, 1, 2].map(i => part(i, ops.input('wide', [5, 13]))) as [Tensor, Tensor, Tensor]))],
  ])('leaves slices %s', (_, root) => expect(opsOf(packAttention, root)).toContain('attention'))
})

describe('fuseGroupNorm', () => {
  const image = ops.input('image', [4, 4, 6])
  const [gamma, beta] = ['gamma', 'beta'].map(name => ops.parameter(name, [6], { kind: 'ones' })) as [Tensor, Tensor]
  const parts = (numGroups: number, from = image): Tensor => unfused(ops.groupNorm(from, gamma, beta, { numGroups, epsilon: 1e-3, activation: 'none' }))
  it.each([['alone', parts(2), 'none'], ['and a ReLU', ops.relu(parts(3)), 'relu'], ['and a GELU', ops.gelu(parts(6), 'tanh'), 'tanh']] as const)('joins what normalises groups, %s', (_, root, activation) => {
    expect(opsOf(fuseGroupNorm, root)).toEqual(['groupNorm'])
    expect(print(fuseGroupNorm([root]))).toContain(`activation="${activation}"`)
  })
  it.each([
    ['the scale where what is scaled is used elsewhere', ((y: Tensor) => [y, y.inputs[0]!.inputs[0]!])(parts(2)), ['groupNorm', 'multiply', 'add']],
    ['the shift where what is shifted is used elsewhere', ((y: Tensor) => [y, y.inputs[0]!])(parts(2)), ['groupNorm', 'multiply', 'add']],
    ['a shift that is no number a channel', [ops.add(parts(2).inputs[0]!, ops.input('other', [4, 4, 6]))], ['groupNorm', 'multiply', 'add']],
    ['an activation where what it is given is used elsewhere', ((y: Tensor) => [ops.relu(y), y])(parts(2)), ['groupNorm', 'relu']],
  ] as const)('leaves alone %s', (_, roots, left) => expect(opsOf(fuseGroupNorm, ...roots)).toEqual(left))
  it.each([['with other places in front', ops.transpose(ops.reshape(image, [16, 2, 3]), [1, 2, 0])], ['of which places are lost', ops.transpose(ops.slice(ops.reshape(image, [16, 2, 3]), [0, 0, 0], [8, 2, 3]), [1, 0, 2])]] as const)('leaves rows %s', (_, turned) => {
    const rows = ops.layerNorm(ops.reshape(turned, [2, turned.shape[1]! * turned.shape[2]!]), 1e-3)
    expect(opsOf(fuseGroupNorm, ops.reshape(ops.transpose(ops.reshape(rows, [2, rows.shape[1]! / 3, 3]), [1, 0, 2]), [rows.shape[1]! / 3, 6]))).toContain('layerNorm')
  })
  it('does the gradient on the image too', () => {
    for (const make of [(t: Tensor): Tensor => t, ops.relu, ops.gelu]) {
      const loss = ops.batchMean(ops.sum(ops.multiply(make(parts(3)), ops.input('other', [4, 4, 6])), [0, 1, 2]))
      const roots = [loss, ...gradient(loss, [image, gamma, beta]).of.values()]
      expect(opsOf(fuseGroupNorm, ...roots).filter(op => op.includes('Norm') || op === 'transpose').sort()).toEqual(['groupNorm', 'groupNormGradient'])
    }
    // A gradient of rows that no scale has touched.
    const bare = ops.sum(ops.multiply(parts(3).inputs[0]!.inputs[0]!, ops.input('other', [4, 4, 6])), [0, 1, 2])
    const [slope] = [...gradient(ops.batchMean(bare), [image]).of.values()]
    expect(opsOf(fuseGroupNorm, slope!).filter(op => op.includes('Norm') || op === 'transpose')).toEqual(['groupNormGradient'])
  })
})

describe('gatherMoves', () => {
  const map = ops.input('map', [4, 6, 3])
  const rolled = (t: Tensor, axis: number, by: number): Tensor => {
    const [size, end] = [t.shape[axis]!, t.shape.map((n, i) => (i === axis ? by : n))]
    const at = (begin: number): number[] => t.shape.map((_, i) => (i === axis ? begin : 0))
    return ops.concat([ops.slice(t, at(by), t.shape.map((n, i) => (i === axis ? size - by : n))), ops.slice(t, at(0), end)], axis)
  }
  const windows = (t: Tensor): Tensor => ops.reshape(ops.transpose(ops.reshape(t, [2, 2, 3, 2, 3]), [0, 2, 1, 3, 4]), [6, 4, 3])
  it('makes the rolled windows of Swin one gather', () => {
    const root = windows(rolled(rolled(map, 0, 1), 1, 2))
    const [gathered] = gatherMoves([root]) as readonly Tensor[]
    expect(nodesOf([gathered!]).map(n => n.op).filter(op => op !== 'reshape')).toEqual(['input', 'constant', 'gather'])
    // Row 0 of window 0 is the place that two rolls bring to the corner: row 1, column 2 of six.
    const numbers = nodesOf([gathered!]).find(n => isOp(n, 'constant')) as Tensor<'constant'>
    expect([...numbers.attributes.data].slice(0, 4)).toEqual([8, 9, 14, 15])
  })
  it.each([
    ['a transpose alone', [windows(map)]],
    ['moves of two tensors', [windows(ops.concat([ops.slice(map, [1, 0, 0], [3, 6, 3]), ops.slice(ops.input('other', [4, 6, 3]), [0, 0, 0], [1, 6, 3])], 0))]],
    ['moves of channels', [rolled(rolled(map, 2, 1), 2, 1)]],
  ] as const)('leaves %s', (_, roots) => expect(opsOf(gatherMoves, ...roots)).not.toContain('gather'))
  it('keeps what something else needs on the way', () => {
    const roll = rolled(map, 0, 1)
    expect(opsOf(gatherMoves, windows(roll), ops.exp(roll)).toSorted()).toEqual(['exp', 'gather', 'transpose'])
  })
})

describe('fuseElementwise', () => {
  it('joins what only the next op uses', () => expect(opsOf(fuseElementwise, ops.sigmoid(ops.add(ops.multiply(x, s), y)))).toEqual(['elementwise']))
  it('joins what two ops of a group use', () => expect(opsOf(fuseElementwise, ((z: Tensor) => ops.multiply(z, ops.sigmoid(z)))(ops.add(x, y)))).toEqual(['elementwise']))
  it.each([
    ['one op alone', [ops.add(x, y)], ['add']],
    ['what is an output itself', ((z: Tensor) => [z, ops.exp(z)])(ops.add(x, y)), ['add', 'exp']],
    ['what would be computed for more elements than it has', [ops.multiply(x, ops.exp(s))], ['exp', 'multiply']],
    ['whole numbers', [ops.gather(w, ops.constant(Int32Array.of(0, 1), [2]))], ['gather']],
  ] as const)('leaves %s', (_, roots, left) => expect(opsOf(fuseElementwise, ...roots)).toEqual(left))

  it('makes no group larger than the kernel can hold', () => {
    const long = Array.from({ length: 60 }, (_, i) => ops.input(`x${i}`, [3])).reduce<Tensor>((sum, z) => ops.exp(ops.add(sum, z)), ops.input('first', [3]))
    const groups = nodesOf(fuseElementwise([long])).filter((n): n is Tensor<'elementwise'> => isOp(n, 'elementwise'))
    expect(groups.length).toBeGreaterThan(3)
    for (const { inputs, attributes } of groups) expect([inputs.length <= 12, attributes.steps.length <= 16]).toEqual([true, true])
  })
})

describe('published models', () => {
  const count = (roots: readonly Signal[]): Readonly<Record<string, number>> => nodesOf(roots).reduce<Record<string, number>>((counts, n) => ({ ...counts, [n.op]: (counts[n.op] ?? 0) + 1 }), {})
  it('of the ViT family run attention packed and their maps fused, and count what they did but for rows that nothing needs', () => {
    const { output } = valueOf(trace(recipes.vit_tiny_patch16_224.model as unknown as AnyModel))
    const after = optimise([output])
    expect(count(after)).toMatchObject({ packedAttention: 11, attention: 1, fusedLinear: 36, linear: 13, layerNorm: 25 })
    expect(count(after)['gelu'] ?? 0).toBe(0)
    // Of the last block's output, nothing is computed for the 196 tokens that are not the class token.
    const [before, now] = [multiplyAdds(nodesOf([output])), multiplyAdds(nodesOf(after))]
    expect(now).toEqual({ ...before, linear: before.linear - 196 * 9 * 192 ** 2, matmul: before.matmul - 2 * 196 * 197 * 192, total: before.total - 196 * 9 * 192 ** 2 - 2 * 196 * 197 * 192 })
  })

  it.each(['swin_tiny_patch4_window7_224', 'coatnet_0_rw_224', 'convit_tiny', 'vit_small_r26_s32_224'] as const)('%s becomes a legal graph, and does nothing the second time', id => {
    const once = optimise([valueOf(trace(recipes[id].model as unknown as AnyModel)).output])
    expect(validate(once)).toEqual([])
    expect(print(optimise(once))).toBe(print(once))
  })
})
