import fc from 'fast-check'
import { broadcastPairs, list, shapes, size, type Kind } from './subject.js'

/** A call of one of the library's ops, in terms of `ops` and inputs `a`, `b`, …. */
export interface OpCall {
  readonly shapes: readonly (readonly number[])[]
  /** Inputs that have no batch, as weights have none. */
  readonly weights?: readonly number[]
  readonly code: string
  readonly domain?: (x: number) => number
}
export interface OpCase extends OpCall {
  readonly batch: number
  readonly seed: number
  readonly kind: Kind
}

/** An op of the library. */
export interface OpSubject {
  readonly op: string
  readonly cases: fc.Arbitrary<OpCase>
  readonly smooth: boolean
}

const op = (name: string, calls: fc.Arbitrary<OpCall>, { smooth = true, kinds = ['large', 'zeros', 'denormals'] as readonly Kind[], batch = size(3) } = {}): OpSubject => ({
  op: name,
  smooth,
  cases: fc.tuple(calls, batch, fc.nat(999), fc.oneof({ weight: 4, arbitrary: fc.constant<Kind>('ordinary') }, { weight: 1, arbitrary: fc.constantFrom<Kind>('ordinary', ...kinds) })).map(([call, batch, seed, kind]) => ({ ...call, batch, seed, kind })),
})

const offGrid = (x: number): number => x + 1 / 64
const positive = (x: number): number => Math.abs(x) + 0.25
const awayFromZero = (x: number): number => (x >= 0 ? x + 0.5 : x - 0.5)
const all: readonly Kind[] = ['offset', 'large', 'zeros', 'denormals']
const small = shapes(3).filter(shape => shape.reduce((a, b) => a * b, 1) <= 24)

const pointwise = (name: string, code = `ops.${name}(a)`, more: { readonly domain?: (x: number) => number; readonly kinds?: readonly Kind[]; readonly smooth?: boolean } = {}): OpSubject =>
  op(name, small.map(shape => ({ shapes: [shape], code, ...(more.domain === undefined ? {} : { domain: more.domain }) })), { smooth: more.smooth ?? true, kinds: more.kinds ?? all })

const pairwise = (name: string, code = `ops.${name}(a, b)`, domain?: (x: number) => number, kinds: readonly Kind[] = ['zeros']): OpSubject =>
  op(name, fc.tuple(broadcastPairs(3), fc.constantFrom<readonly number[]>([], [0], [1])).map(([pair, weights]) => ({ shapes: pair, weights, code, ...(domain === undefined ? {} : { domain }) })), { kinds })

const reduction = (name: string, kinds: readonly Kind[]): OpSubject =>
  op(name, fc.tuple(small, fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }), fc.boolean()).map(([shape, chosen, keep]) => {
    const axes = shape.map((_, axis) => axis).filter(axis => chosen[axis])
    return { shapes: [shape], code: `ops.${name}(a, ${list(axes.length === 0 ? [0] : axes)}, ${keep})` }
  }), { kinds })

const picks = fc.array(fc.nat(3), { minLength: 1, maxLength: 4 })
/** One table for all samples, or one for each. */
const tables = fc.constantFrom<readonly number[]>([0], [])
const constant = (indices: readonly number[]): string => `ops.constant(Int32Array.of(${indices.join(', ')}), [${indices.length}])`

/** A convolution's or a pool's window over an image, in which it fits. */
const geometry = fc
  .record({ height: size(5), width: size(5), kernel: fc.tuple(size(3), size(3)), strides: fc.tuple(size(2), size(2)), padding: fc.tuple(fc.tuple(fc.nat(1), fc.nat(1)), fc.tuple(fc.nat(1), fc.nat(1))) })
  .filter(({ height, width, kernel, padding }) => height + padding[0][0] + padding[0][1] >= kernel[0] && width + padding[1][0] + padding[1][1] >= kernel[1])
type Geometry = typeof geometry extends fc.Arbitrary<infer G> ? G : never
const pool = ({ kernel, strides, padding }: Geometry): string => `{ size: ${list(kernel)}, strides: ${list(strides)}, padding: ${list(padding)} }`
/** No window lies in the padding alone. */
const pools = geometry.filter(({ kernel, padding }) => kernel.every((n, axis) => n > 1 || padding[axis]!.every(side => side === 0)))
const positions = ({ height, width, kernel, strides, padding }: Geometry): readonly [number, number] => [0, 1].map(axis => Math.floor(([height, width][axis]! + padding[axis]![0] + padding[axis]![1] - kernel[axis]!) / strides[axis]!) + 1) as [number, number]

const convolutions = fc.tuple(geometry, size(3), size(2), size(2)).map(([g, groups, inGroup, outGroup]) => ({ g, groups, channels: groups * inGroup, out: groups * outGroup, weight: [groups * outGroup, inGroup, ...g.kernel], how: `{ strides: ${list(g.strides)}, padding: ${list(g.padding)}, groups: ${groups} }` }))

const windowed = fc.tuple(size(3), size(3), size(2), size(2), fc.constantFrom('', '[2]'), fc.constantFrom('none', 'weight', 'input')).map(([queries, keys, numHeads, headDim, lead, bias]) => {
  const leading = lead === '' ? [] : [2]
  const dim = numHeads * headDim
  return {
    shapes: [[...leading, queries, dim], [...leading, keys, dim], [...leading, keys, dim], ...(bias === 'none' ? [] : [[numHeads, queries, keys]])],
    weights: bias === 'weight' ? [3] : [],
    code: `ops.attention(a, b, c, { numHeads: ${numHeads}, scale: 0.5 }${bias === 'none' ? '' : ', d'})`,
  }
})

const packed = fc.tuple(size(4), size(2), size(2), fc.constantFrom<readonly number[]>([], [2]), fc.boolean()).map(([tokens, numHeads, headDim, leading, bias]) => {
  const dim = numHeads * headDim
  return { qkv: [...leading, tokens, 3 * dim], result: [...leading, tokens, dim], scores: [numHeads, tokens, tokens], how: `{ numHeads: ${numHeads}, scale: 0.5 }`, bias }
})

/** The closed set of ops, those that compute. A test fails while one is missing. */
export const opSubjects: readonly OpSubject[] = [
  pairwise('add', undefined, undefined, all),
  pairwise('subtract', undefined, undefined, all),
  pairwise('multiply'),
  pairwise('divide', undefined, awayFromZero, []),
  pairwise('maximum', 'ops.maximum(a, ops.add(b, ops.scalar(1 / 64)))'),
  pairwise('minimum', 'ops.minimum(a, ops.add(b, ops.scalar(1 / 64)))'),
  op('power', fc.tuple(small, fc.constantFrom(2, 3, -1, 0.5, 0, 1.5)).map(([shape, exponent]) => ({ shapes: [shape], code: `ops.power(a, ${exponent})`, domain: positive })), { kinds: [] }),
  pointwise('exp', undefined, { kinds: ['zeros', 'denormals'] }),
  pointwise('log', undefined, { domain: positive, kinds: ['offset', 'large'] }),
  pointwise('sqrt', undefined, { domain: positive, kinds: ['offset', 'large'] }),
  pointwise('tanh'),
  pointwise('sigmoid'),
  pointwise('relu', undefined, { domain: offGrid }),
  pointwise('step', undefined, { domain: offGrid }),
  op('gelu', fc.tuple(small, fc.constantFrom('erf', 'tanh', 'quick')).map(([shape, form]) => ({ shapes: [shape], code: `ops.gelu(a, '${form}')` })), { kinds: all }),
  op('reshape', small.map(shape => ({ shapes: [shape], code: `ops.reshape(a, ${list([...shape].reverse())})` })), { kinds: all }),
  op('transpose', shapes(5).filter(shape => shape.reduce((a, b) => a * b, 1) <= 32).chain(shape => fc.shuffledSubarray(shape.map((_, axis) => axis), { minLength: shape.length }).map(perm => ({ shapes: [shape], code: `ops.transpose(a, ${list(perm)})` }))), { kinds: all }),
  op('slice', fc.tuple(small, fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { minLength: 3, maxLength: 3 })).map(([shape, drawn]) => {
    const begin = shape.map((n, axis) => drawn[axis]![0] % n)
    return { shapes: [shape], code: `ops.slice(a, ${list(begin)}, ${list(shape.map((n, axis) => 1 + (drawn[axis]![1] % (n - begin[axis]!))))})` }
  }), { kinds: all }),
  op('pad', fc.tuple(small, fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { minLength: 3, maxLength: 3 })).map(([shape, drawn]) => ({ shapes: [shape], code: `ops.pad(a, ${list(shape.map((_, axis) => drawn[axis]![0]))}, ${list(shape.map((n, axis) => n + drawn[axis]![0] + drawn[axis]![1]))})` }))),
  op('broadcast', fc.tuple(small, fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }), fc.array(size(2), { maxLength: 1 })).map(([shape, ones, more]) => ({ shapes: [shape.map((n, axis) => (ones[axis] === true ? 1 : n))], code: `ops.broadcast(a, ${list([...more, ...shape])})` }))),
  op('concat', fc.tuple(small, fc.nat(2), size(3), fc.constantFrom<readonly number[]>([], [0], [1])).map(([shape, pick, more, weights]) => ({ shapes: [shape, shape.map((n, axis) => (axis === pick % shape.length ? more : n))], weights, code: `ops.concat([a, b], ${pick % shape.length})` }))),
  op('gather', fc.oneof(
    fc.tuple(size(4), size(3), picks, tables).map(([rows, width, drawn, weights]) => ({ shapes: [[rows, width]], weights, code: `ops.gather(a, ${constant(drawn.map(i => i % rows))})` })),
    fc.tuple(size(4), size(3), tables).map(([rows, width, weights]) => ({ shapes: [[rows, width], [2, rows]], weights, code: 'ops.gather(a, ops.argsort(b))' })),
  )),
  op('scatterAdd', fc.tuple(size(4), size(3), picks, tables).map(([rows, width, drawn, weights]) => ({ shapes: [[drawn.length, width]], weights, code: `ops.scatterAdd(${constant(drawn.map(i => i % rows))}, a, ${rows}, ${weights.length > 0})` }))),
  op('argsort', fc.tuple(small, fc.boolean()).map(([shape, descending]) => ({ shapes: [shape, [shape.at(-1)!]], weights: [1], code: `ops.gather(b, ops.argsort(a, { descending: ${descending} }))` })), { smooth: false, kinds: ['offset', 'zeros'] }),
  reduction('sum', all),
  reduction('mean', all),
  reduction('max', ['offset']),
  op('batchSize', small.map(shape => ({ shapes: [shape], code: 'ops.multiply(a, ops.batchSize())' }))),
  op('batchSum', small.map(shape => ({ shapes: [shape], code: 'ops.batchSum(a)' })), { kinds: all }),
  op('batchMean', small.map(shape => ({ shapes: [shape], code: 'ops.batchMean(a)' })), { kinds: all }),
  op('batchReverse', small.map(shape => ({ shapes: [shape], code: 'ops.batchReverse(a)' })), { kinds: all }),
  op('batchToAxis', small.map(shape => ({ shapes: [shape], code: 'ops.batchToAxis(a, 2)' })), { kinds: all, batch: fc.constant(2) }),
  op('axisToBatch', small.map(shape => ({ shapes: [[2, ...shape]], weights: [0], code: 'ops.axisToBatch(a)' })), { kinds: all, batch: fc.constant(2) }),
  op('softmax', small.map(shape => ({ shapes: [shape], code: 'ops.softmax(a)' })), { kinds: all }),
  op('layerNorm', fc.tuple(small.filter(shape => shape.at(-1)! > 1), fc.boolean()).map(([shape, affine]) => ({ shapes: affine ? [shape, [shape.at(-1)!], [shape.at(-1)!]] : [shape], weights: affine ? [1, 2] : [], code: `ops.layerNorm(a, 1e-3${affine ? ', { gamma: b, beta: c }' : ''})` })), { kinds: ['zeros'] }),
  op('matmul', fc.tuple(size(3), size(3), size(3), fc.boolean(), fc.boolean(), fc.constantFrom('both', 'left', 'right', 'none'), fc.constantFrom<readonly number[]>([], [0], [1])).map(([m, k, n, transposeA, transposeB, leading, weights]) => {
    const [a, b] = [transposeA ? [k, m] : [m, k], transposeB ? [n, k] : [k, n]]
    const lead = (side: string): readonly number[] => (leading === 'both' || leading === side ? [2] : [])
    return { shapes: [[...lead('left'), ...a], [...lead('right'), ...b]], weights, code: `ops.matmul(a, b, { transposeA: ${transposeA}, transposeB: ${transposeB} })` }
  })),
  op('linear', fc.tuple(small, size(5), fc.boolean()).map(([shape, out, bias]) => ({ shapes: [shape, [out, shape.at(-1)!], ...(bias ? [[out]] : [])], weights: bias ? [1, 2] : [1], code: `ops.linear(a, b${bias ? ', c' : ''})` }))),
  op('attention', windowed, { kinds: [] }),
  op('conv2d', fc.tuple(convolutions, fc.boolean()).map(([{ g, channels, out, weight, how }, bias]) => ({ shapes: [[g.height, g.width, channels], weight, ...(bias ? [[out]] : [])], weights: bias ? [1, 2] : [1], code: `ops.conv2d(a, b, ${bias ? 'c' : 'undefined'}, ${how})` }))),
  op('maxPool', fc.tuple(pools, size(2)).map(([g, channels]) => ({ shapes: [[g.height, g.width, channels]], code: `ops.maxPool(a, ${pool(g)})` })), { kinds: ['offset'] }),
  op('averagePool', fc.tuple(pools, size(2), fc.boolean()).map(([g, channels, count]) => ({ shapes: [[g.height, g.width, channels]], code: `ops.averagePool(a, { ...${pool(g)}, countPadding: ${count} })` })), { kinds: ['offset'] }),
  op('geluGradient', fc.tuple(small, fc.constantFrom('erf', 'tanh', 'quick')).map(([shape, form]) => ({ shapes: [shape, shape], code: `ops.geluGradient(a, b, '${form}')` })), { smooth: false }),
  op('softmaxGradient', small.map(shape => ({ shapes: [shape, shape], code: 'ops.softmaxGradient(ops.softmax(a), b)' })), { smooth: false }),
  op('layerNormGradient', small.filter(shape => shape.at(-1)! > 1).map(shape => ({ shapes: [shape, shape, [shape.at(-1)!]], weights: [2], code: 'ops.layerNormGradient(a, b, 1e-3, c)' })), { smooth: false, kinds: ['zeros'] }),
  op('linearWeightGradient', fc.tuple(fc.array(size(3), { maxLength: 2 }), size(4), size(4)).map(([rest, inner, out]) => ({ shapes: [[...rest, inner], [...rest, out]], code: 'ops.linearWeightGradient(a, b)' })), { smooth: false }),
  op('conv2dInputGradient', convolutions.map(({ g, out, weight, how }) => ({ shapes: [[...positions(g), out], weight], weights: [1], code: `ops.conv2dInputGradient(a, b, ${how}, ${list([g.height, g.width])})` })), { smooth: false }),
  op('conv2dWeightGradient', convolutions.map(({ g, channels, out, how }) => ({ shapes: [[g.height, g.width, channels], [...positions(g), out]], code: `ops.conv2dWeightGradient(a, b, ${how}, ${list(g.kernel)})` })), { smooth: false }),
  op('maxPoolGradient', fc.tuple(pools, size(2)).map(([g, channels]) => ({ shapes: [[g.height, g.width, channels], [...positions(g), channels]], code: `ops.maxPoolGradient(a, b, ${pool(g)})` })), { smooth: false, kinds: ['offset'] }),
  op('fusedLinear', fc.tuple(small, size(5), fc.boolean(), fc.constantFrom('none', 'erf', 'tanh', 'quick'), fc.boolean()).map(([shape, out, bias, activation, residual]) => ({
    shapes: [shape, [out, shape.at(-1)!], [out], [...shape.slice(0, -1), out]],
    weights: [1, 2],
    code: `ops.fusedLinear(a, b, { ${bias ? 'bias: c, ' : ''}activation: '${activation}'${residual ? ', residual: d' : ''} })`,
  })), { smooth: false, kinds: ['zeros'] }),
  op('packedAttention', packed.map(({ qkv, scores, how, bias }) => ({ shapes: [qkv, scores], weights: [1], code: `ops.packedAttention(a, ${how}${bias ? ', b' : ''})` })), { smooth: false, kinds: [] }),
  op('packedAttentionGradient', packed.map(({ qkv, result, scores, how, bias }) => ({ shapes: [qkv, result, scores], weights: [2], code: `ops.packedAttentionGradient(a, b, ${bias ? `{ ...${how}, scores: true }, c` : how})` })), { smooth: false, kinds: [] }),
  op('groupNorm', fc.tuple(small.filter(shape => shape.length > 1 && shape[0]! > 1), fc.constantFrom('none', 'erf', 'silu')).map(([shape, activation]) => ({ shapes: [shape, [shape.at(-1)!], [shape.at(-1)!]], weights: [1, 2], code: `ops.groupNorm(a, b, c, { numGroups: 1, epsilon: 1e-3, activation: '${activation}' })` })), { smooth: false, kinds: ['zeros'] }),
  op('groupNormGradient', small.filter(shape => shape.length > 1 && shape[0]! > 1).map(shape => ({ shapes: [shape, shape, [shape.at(-1)!]], weights: [2], code: 'ops.groupNormGradient(a, b, c, { numGroups: 1, epsilon: 1e-3 })' })), { smooth: false, kinds: ['zeros'] }),
  op('squareSum', fc.tuple(small, small).map(shapes => ({ shapes, weights: [0, 1], code: 'ops.squareSum([a, b])' })), { kinds: ['zeros'] }),
  op('elementwise', fc.tuple(broadcastPairs(3), fc.constantFrom('add', 'subtract', 'multiply'), fc.constantFrom('relu', 'sigmoid', 'tanh')).map(([pair, two, one]) => ({ shapes: pair, code: `ops.elementwise([a, b], [{ op: '${two}', of: [0, 1] }, { op: '${one}', of: [2] }])` })), { smooth: false, kinds: ['zeros'] }),
  op('after', small.map(shape => ({ shapes: [shape, [2]], code: 'ops.add(ops.after(a, b), a)' })), { smooth: false, kinds: all }),
  op('detach', small.map(shape => ({ shapes: [shape], code: 'ops.detach(a)' })), { smooth: false, kinds: all }),
  op('remat', small.map(shape => ({ shapes: [shape], code: 'ops.remat(ops.tanh(a), [a])' })), { kinds: all }),
]
