import fc from 'fast-check'
import { at, numbers, plus, type Numbers } from '../../../src/testing/oracles/numbers.js'
import { list, size, subject, type Call, type Subject } from '../subject.js'

/** Products of the last two axes; leading axes are those of `batch`, and either side may have 1 or nothing in their place. */
const product = (a: Numbers, b: Numbers, transposeA: boolean, transposeB: boolean, batch: readonly number[]): Numbers => {
  const [m, inner] = [a.shape.at(transposeA ? -1 : -2)!, a.shape.at(transposeA ? -2 : -1)!]
  const n = b.shape.at(transposeB ? -2 : -1)!
  const read = (x: Numbers, leading: readonly number[], row: number, column: number): number => at(x, ...leading.slice(leading.length - (x.shape.length - 2)).map((i, axis) => (x.shape[axis] === 1 ? 0 : i)), row, column)
  return numbers([...batch, m, n], (...place) => {
    const [leading, row, column] = [place.slice(0, -2), place.at(-2)!, place.at(-1)!]
    let total = 0
    for (let i = 0; i < inner; i++) total += (transposeA ? read(a, leading, i, row) : read(a, leading, row, i)) * (transposeB ? read(b, leading, column, i) : read(b, leading, i, column))
    return total
  })
}

interface Sizes {
  readonly m: number
  readonly inner: number
  readonly n: number
  readonly transposeA: boolean
  readonly transposeB: boolean
  readonly batch: readonly number[]
}
const sizes = (batch: fc.Arbitrary<readonly number[]>, more: Partial<Record<'transposeA' | 'transposeB', fc.Arbitrary<boolean>>> = {}): fc.Arbitrary<Sizes> =>
  fc.record({ m: size(4), inner: size(4), n: size(4), transposeA: more.transposeA ?? fc.boolean(), transposeB: more.transposeB ?? fc.boolean(), batch })

const sides = ({ m, inner, n, transposeA, transposeB }: Sizes): readonly [readonly number[], readonly number[]] => [transposeA ? [inner, m] : [m, inner], transposeB ? [n, inner] : [inner, n]]

/** A product; `left` and `right` say which leading axes each side has. */
const matMul = (s: Sizes, left: readonly number[] = s.batch, right: readonly number[] = s.batch): Call => {
  const [a, b] = sides(s)
  return { shapes: [[...left, ...a], [...right, ...b]], code: `tf.matMul(a, b, ${s.transposeA}, ${s.transposeB})`, define: (x: Numbers, y: Numbers) => product(x, y, s.transposeA, s.transposeB, s.batch) }
}

const none = fc.constant<readonly number[]>([])
const one = size(3, 2).map(n => [n] as const)
const never = fc.constant(false)
const always = fc.constant(true)

const relu = (x: Numbers): Numbers => ({ ...x, data: x.data.map(v => Math.max(v, 0)) })

const fused = (s: Sizes, bias: boolean, activation: 'linear' | 'relu'): Call => {
  const { shapes } = matMul(s)
  const define = (a: Numbers, b: Numbers, c?: Numbers): Numbers => {
    const y = product(a, b, s.transposeA, s.transposeB, s.batch)
    const shifted = c === undefined ? y : plus(y, numbers(y.shape, (...place) => at(c, place.at(-1)!)))
    return activation === 'relu' ? relu(shifted) : shifted
  }
  const options = ['a', 'b', ...(s.transposeA ? ['transposeA: true'] : []), ...(s.transposeB ? ['transposeB: true'] : []), ...(bias ? ['bias: c'] : []), ...(activation === 'linear' ? [] : [`activation: '${activation}'`])]
  return { shapes: bias ? [...shapes, [s.n]] : shapes, code: `tf.fused.matMul({ ${options.join(', ')} })`, define }
}
const fusedOf = (name: string, arbitrary: fc.Arbitrary<Sizes>, bias: fc.Arbitrary<boolean>, activation: fc.Arbitrary<'linear' | 'relu'> = fc.constant('linear')): Subject =>
  subject(`tf.fused.matMul, ${name}`, fc.tuple(arbitrary, bias, activation).map(([s, b, act]) => fused(s, b, act)), { kinds: ['zeros'] })

const einsums: readonly (readonly [string, (s: Sizes) => Call])[] = [
  ['ij,jk->ik', s => ({ ...matMul({ ...s, transposeA: false, transposeB: false, batch: [] }), code: "tf.einsum('ij,jk->ik', a, b)" })],
  ['bij,bkj->bik', s => ({ ...matMul({ ...s, transposeA: false, transposeB: true, batch: [2] }), code: "tf.einsum('bij,bkj->bik', a, b)" })],
]

/** Products of matrices. */
export const products: readonly Subject[] = [
  subject('tf.matMul, 2-D', sizes(none).map(s => matMul(s)), { kinds: ['offset', 'large', 'zeros', 'denormals'] }),
  subject('tf.matMul, batches', sizes(one).map(s => matMul(s)), { kinds: ['large', 'zeros'] }),
  subject('tf.matMul, 4-D', sizes(fc.tuple(size(2), size(3))).map(s => matMul(s)), { kinds: ['zeros'] }),
  subject('tf.matMul, 3-D by 2-D', sizes(one).map(s => matMul(s, s.batch, [])), { kinds: ['zeros'] }),
  subject('tf.matMul, 2-D by 3-D', sizes(one).map(s => matMul(s, [], s.batch)), { kinds: ['zeros'] }),
  subject('tf.matMul, a batch of 1 by more', sizes(one).map(s => matMul(s, [1], s.batch)), { kinds: ['zeros'] }),
  subject('tf.matMul, 4-D by broadcasting', fc.tuple(sizes(fc.tuple(size(3, 2), size(3, 2))), fc.boolean()).map(([s, first]) => matMul(s, s.batch, first ? [1, s.batch[1]!] : [s.batch[0]!, 1])), { kinds: [] }),
  fusedOf('2-D', sizes(none, { transposeA: never, transposeB: never }), fc.boolean(), fc.constantFrom('linear', 'relu')),
  fusedOf('2-D transposed, no bias', sizes(none), never),
  fusedOf('2-D, transposeA and bias', sizes(none, { transposeA: always, transposeB: never }), always),
  fusedOf('2-D, transposeB and bias', sizes(none, { transposeA: never, transposeB: always }), always),
  fusedOf('batches', sizes(one, { transposeA: never, transposeB: never }), never),
  fusedOf('batches and bias', sizes(one, { transposeA: never, transposeB: never }), always),
  subject('tf.dot', size(5).map(n => ({ shapes: [[n], [n]], code: 'tf.dot(a, b)', define: (a: Numbers, b: Numbers) => ({ shape: [], data: Float64Array.of(a.data.reduce((total, v, i) => total + v * b.data[i]!, 0)) }) })), { kinds: ['zeros'] }),
  subject('tf.outerProduct', fc.tuple(size(4), size(4)).map(([m, n]) => ({ shapes: [[m], [n]], code: 'tf.outerProduct(a, b)', define: (a: Numbers, b: Numbers) => numbers([m, n], (i, j) => at(a, i!) * at(b, j!)) })), { kinds: ['zeros'] }),
  subject('tf.einsum', fc.tuple(fc.constantFrom(...einsums), sizes(none)).map(([[, make], s]) => make(s)), { kinds: [] }),
  subject('tf.matMul, rows of 3-D as 2-D', fc.tuple(size(3), size(3), size(3), size(3)).map(([b, m, k, n]) => ({
    shapes: [[b, m, k], [k, n]],
    code: `tf.reshape(tf.matMul(tf.reshape(a, ${list([b * m, k])}), b), ${list([b, m, n])})`,
    define: (x: Numbers, y: Numbers) => product(x, y, false, false, [b]),
  })), { kinds: ['zeros'] }),
]
