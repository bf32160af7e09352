import fc from 'fast-check'
import { at, each, numbers, type Numbers } from '../../../src/testing/oracles/numbers.js'
import { list, shapes, size, subject, type Kind, type Subject } from '../subject.js'

const moved: readonly Kind[] = ['offset', 'large']

/** A permutation of the axes of a shape. */
const permutations = (maxRank: number, minRank = 1): fc.Arbitrary<{ readonly shape: readonly number[]; readonly perm: readonly number[] }> =>
  shapes(maxRank, minRank).chain(shape => fc.shuffledSubarray(shape.map((_, axis) => axis), { minLength: shape.length }).map(perm => ({ shape, perm })))

const transpose = (name: string, maxRank: number, minRank = 1): Subject =>
  subject(name, permutations(maxRank, minRank).map(({ shape, perm }) => ({
    shapes: [shape],
    code: `tf.transpose(a, ${list(perm)})`,
    define: (a: Numbers) => numbers(perm.map(axis => shape[axis]!), (...place) => at(a, ...shape.map((_, axis) => place[perm.indexOf(axis)]!))),
  })), { kinds: moved })

/** A block of a shape. */
const blocks = (maxRank: number, minRank = 1): fc.Arbitrary<{ readonly shape: readonly number[]; readonly begin: readonly number[]; readonly size: readonly number[] }> =>
  fc.tuple(shapes(maxRank, minRank), fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { minLength: maxRank, maxLength: maxRank })).map(([shape, drawn]) => {
    const begin = shape.map((n, axis) => drawn[axis]![0] % n)
    return { shape, begin, size: shape.map((n, axis) => 1 + (drawn[axis]![1] % (n - begin[axis]!))) }
  })

const slice = (name: string, maxRank: number, minRank = 1): Subject =>
  subject(name, blocks(maxRank, minRank).map(({ shape, begin, size: count }) => ({ shapes: [shape], code: `tf.slice(a, ${list(begin)}, ${list(count)})`, define: (a: Numbers) => numbers(count, (...place) => at(a, ...place.map((i, axis) => i + begin[axis]!))) })), { kinds: moved })

/** A shape, an axis of it, and whole numbers below the axis' size. */
const picks = (most = 4): fc.Arbitrary<{ readonly shape: readonly number[]; readonly axis: number; readonly indices: readonly number[] }> =>
  fc.tuple(shapes(3), fc.nat(2), fc.array(fc.nat(3), { minLength: 1, maxLength: most })).map(([shape, pick, drawn]) => ({ shape, axis: pick % shape.length, indices: drawn.map(i => i % shape[pick % shape.length]!) }))

const gatherOf = (a: Numbers, axis: number, indices: readonly number[]): Numbers => numbers(a.shape.map((n, i) => (i === axis ? indices.length : n)), (...place) => at(a, ...place.map((p, i) => (i === axis ? indices[p]! : p))))

const reflected = (i: number, n: number, mode: 'reflect' | 'symmetric'): number => {
  const edge = mode === 'reflect' ? 0 : 1
  return i < 0 ? -i - edge : i >= n ? 2 * (n - 1) - i + edge : i
}
const mirrorPad = (mode: 'reflect' | 'symmetric'): Subject =>
  subject(`tf.mirrorPad, ${mode}`, fc.tuple(fc.array(size(4, 2), { minLength: 1, maxLength: 3 }), fc.array(fc.tuple(fc.nat(1), fc.nat(1)), { minLength: 3, maxLength: 3 })).map(([shape, drawn]) => {
    const pads = drawn.slice(0, shape.length)
    return {
      shapes: [shape],
      code: `tf.mirrorPad(a, ${list(pads)}, '${mode}')`,
      define: (a: Numbers) => numbers(shape.map((n, axis) => n + pads[axis]![0] + pads[axis]![1]), (...place) => at(a, ...place.map((i, axis) => reflected(i - pads[axis]![0], shape[axis]!, mode)))),
    }
  }), { kinds: moved })

/** Operations that move elements about. */
export const axes: readonly Subject[] = [
  transpose('tf.transpose', 4),
  transpose('tf.transpose, rank 5 and 6', 6, 5),
  subject('tf.reshape', shapes().map(shape => ({ shapes: [shape], code: `tf.reshape(a, ${list([...shape].reverse())})`, define: (a: Numbers) => ({ shape: [...shape].reverse(), data: a.data }) })), { kinds: moved }),
  slice('tf.slice', 4),
  slice('tf.slice, rank 5 and 6', 6, 5),
  subject('tf.stridedSlice', blocks(3).map(({ shape, begin }) => ({
    shapes: [shape],
    code: `tf.stridedSlice(a, ${list(begin)}, ${list(shape)}, ${list(shape.map(() => 2))})`,
    define: (a: Numbers) => numbers(shape.map((n, axis) => Math.ceil((n - begin[axis]!) / 2)), (...place) => at(a, ...place.map((i, axis) => begin[axis]! + 2 * i))),
  })), { kinds: moved }),
  subject('tf.concat', fc.tuple(shapes(3), fc.nat(2), size(3), fc.boolean()).map(([shape, pick, more, fromEnd]) => {
    const axis = pick % shape.length
    const other = shape.map((n, i) => (i === axis ? more : n))
    return { shapes: [shape, other], code: `tf.concat([a, b], ${fromEnd ? axis - shape.length : axis})`, define: (a: Numbers, b: Numbers) => numbers(shape.map((n, i) => (i === axis ? n + more : n)), (...place) => (place[axis]! < shape[axis]! ? at(a, ...place) : at(b, ...place.map((i, k) => (k === axis ? i - shape[axis]! : i))))) }
  }), { kinds: moved }),
  subject('tf.split', fc.tuple(shapes(3), fc.nat(2), size(3)).map(([shape, pick, parts]) => {
    const axis = pick % shape.length
    const whole = shape.map((n, i) => (i === axis ? n * parts : n))
    return { shapes: [whole], code: `tf.split(a, ${parts}, ${axis})[${parts - 1}]`, define: (a: Numbers) => numbers(shape, (...place) => at(a, ...place.map((i, k) => (k === axis ? i + shape[axis]! * (parts - 1) : i)))) }
  }), { kinds: moved }),
  subject('tf.stack', fc.tuple(shapes(2), fc.nat(2)).map(([shape, pick]) => {
    const axis = pick % (shape.length + 1)
    return { shapes: [shape, shape], code: `tf.stack([a, b], ${axis})`, define: (a: Numbers, b: Numbers) => numbers([...shape.slice(0, axis), 2, ...shape.slice(axis)], (...place) => at(place[axis] === 0 ? a : b, ...place.filter((_, k) => k !== axis))) }
  }), { kinds: moved }),
  subject('tf.unstack', fc.tuple(shapes(3), fc.nat(2)).map(([shape, pick]) => {
    const axis = pick % shape.length
    return { shapes: [shape], code: `tf.unstack(a, ${axis})[${shape[axis]! - 1}]`, define: (a: Numbers) => numbers(shape.filter((_, k) => k !== axis), (...place) => at(a, ...place.slice(0, axis), shape[axis]! - 1, ...place.slice(axis))) }
  }), { kinds: moved }),
  subject('tf.tile', fc.tuple(shapes(3), fc.array(size(2), { minLength: 3, maxLength: 3 })).map(([shape, drawn]) => {
    const reps = drawn.slice(0, shape.length)
    return { shapes: [shape], code: `tf.tile(a, ${list(reps)})`, define: (a: Numbers) => numbers(shape.map((n, k) => n * reps[k]!), (...place) => at(a, ...place.map((i, k) => i % shape[k]!))) }
  }), { kinds: moved }),
  subject('tf.broadcastTo', fc.tuple(shapes(3), fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }), fc.array(size(2), { maxLength: 1 })).map(([shape, ones, more]) => {
    const from = shape.map((n, k) => (ones[k] === true ? 1 : n))
    return { shapes: [from], code: `tf.broadcastTo(a, ${list([...more, ...shape])})`, define: (a: Numbers) => numbers([...more, ...shape], (...place) => at(a, ...place.slice(more.length).map((i, k) => (from[k] === 1 ? 0 : i)))) }
  }), { kinds: moved }),
  subject('tf.pad', fc.tuple(shapes(3), fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { minLength: 3, maxLength: 3 })).map(([shape, drawn]) => {
    const pads = drawn.slice(0, shape.length)
    return { shapes: [shape], code: `tf.pad(a, ${list(pads)}, 7)`, define: (a: Numbers) => numbers(shape.map((n, k) => n + pads[k]![0] + pads[k]![1]), (...place) => (place.every((i, k) => i >= pads[k]![0] && i < pads[k]![0] + shape[k]!) ? at(a, ...place.map((i, k) => i - pads[k]![0])) : 7)) }
  }), { kinds: moved }),
  mirrorPad('reflect'),
  mirrorPad('symmetric'),
  subject('tf.reverse', fc.tuple(shapes(3), fc.nat(2)).map(([shape, pick]) => {
    const axis = pick % shape.length
    return { shapes: [shape], code: `tf.reverse(a, ${axis})`, define: (a: Numbers) => numbers(shape, (...place) => at(a, ...place.map((i, k) => (k === axis ? shape[k]! - 1 - i : i)))) }
  }), { kinds: moved }),
  subject('tf.gather', picks().map(({ shape, axis, indices }) => ({ shapes: [shape], code: `tf.gather(a, tf.tensor1d(${list(indices)}, 'int32'), ${axis})`, define: (a: Numbers) => gatherOf(a, axis, indices) })), { kinds: moved }),
  subject('tf.gather, batchDims 1', fc.tuple(size(3), size(4), fc.array(size(3), { maxLength: 1 }), fc.array(fc.nat(3), { minLength: 1, maxLength: 6 }), size(3)).map(([batch, rows, rest, drawn, count]) => {
    const indices = Array.from({ length: batch * count }, (_, i) => drawn[i % drawn.length]! % rows)
    return {
      shapes: [[batch, rows, ...rest]],
      code: `tf.gather(a, tf.tensor2d(${list(indices)}, ${list([batch, count])}, 'int32'), 1, 1)`,
      define: (a: Numbers) => numbers([batch, count, ...rest], (sample, i, ...place) => at(a, sample!, indices[sample! * count + i!]!, ...place)),
    }
  }), { kinds: moved }),
  subject('tf.gatherND', fc.tuple(size(3), size(4), fc.array(fc.tuple(fc.nat(2), fc.nat(3)), { minLength: 1, maxLength: 3 })).map(([rows, columns, drawn]) => {
    const where = drawn.map(([i, j]) => [i % rows, j % columns])
    return { shapes: [[rows, columns]], code: `tf.gatherND(a, tf.tensor2d(${list(where)}, ${list([where.length, 2])}, 'int32'))`, define: (a: Numbers) => numbers([where.length], i => at(a, ...where[i!]!)) }
  }), { kinds: moved }),
  subject('tf.scatterND', fc.tuple(size(4), size(3), fc.array(fc.nat(3), { minLength: 1, maxLength: 4 })).map(([rows, width, drawn]) => {
    const where = drawn.map(i => i % rows)
    return { shapes: [[where.length, width]], code: `tf.scatterND(tf.tensor2d(${list(where)}, ${list([where.length, 1])}, 'int32'), a, ${list([rows, width])})`, define: (a: Numbers) => numbers([rows, width], (row, c) => where.reduce((total, to, i) => (to === row ? total + at(a, i, c!) : total), 0)) }
  }), { kinds: ['offset'], smooth: false }),
  subject('tf.unsortedSegmentSum', fc.tuple(size(4), size(3), fc.array(fc.nat(3), { minLength: 1, maxLength: 4 })).map(([rows, width, drawn]) => {
    const where = drawn.map(i => i % rows)
    return { shapes: [[where.length, width]], code: `tf.unsortedSegmentSum(a, tf.tensor1d(${list(where)}, 'int32'), ${rows})`, define: (a: Numbers) => numbers([rows, width], (row, c) => where.reduce((total, to, i) => (to === row ? total + at(a, i, c!) : total), 0)) }
  }), { kinds: ['offset'] }),
  subject('tf.depthToSpace', fc.tuple(size(2), size(2), size(3), size(2)).map(([batch, rows, columns, channels]) => ({
    shapes: [[batch, rows, columns, 4 * channels]],
    code: 'tf.depthToSpace(a, 2)',
    define: (a: Numbers) => numbers([batch, 2 * rows, 2 * columns, channels], (sample, y, z, c) => at(a, sample!, Math.floor(y! / 2), Math.floor(z! / 2), ((y! % 2) * 2 + (z! % 2)) * channels + c!)),
  })), { kinds: moved }),
  subject('tf.spaceToBatchND', fc.tuple(size(2), size(2), size(2), size(2)).map(([batch, rows, columns, channels]) => ({
    shapes: [[batch, 2 * rows, 2 * columns, channels]],
    code: 'tf.spaceToBatchND(a, [2, 2], [[0, 0], [0, 0]])',
    define: (a: Numbers) => numbers([4 * batch, rows, columns, channels], (i, y, z, c) => { const block = Math.floor(i! / batch); return at(a, i! % batch, 2 * y! + Math.floor(block / 2), 2 * z! + (block % 2), c!) }),
  })), { kinds: moved }),
  subject('tf.batchToSpaceND', fc.tuple(size(2), size(2), size(2), size(2)).map(([batch, rows, columns, channels]) => ({
    shapes: [[4 * batch, rows, columns, channels]],
    code: 'tf.batchToSpaceND(a, [2, 2], [[0, 0], [0, 0]])',
    define: (a: Numbers) => numbers([batch, 2 * rows, 2 * columns, channels], (sample, y, z, c) => at(a, ((y! % 2) * 2 + (z! % 2)) * batch + sample!, Math.floor(y! / 2), Math.floor(z! / 2), c!)),
  })), { kinds: moved }),
  subject('tf.topk, values', shapes(2).map(shape => ({ shapes: [shape], code: 'tf.topk(a, 1).values', define: (a: Numbers) => numbers([...shape.slice(0, -1), 1], (...place) => Math.max(...Array.from({ length: shape.at(-1)! }, (_, i) => at(a, ...place.slice(0, -1), i)))) })), { smooth: false, kinds: moved }),
  subject('tf.unique, values', shapes(1).map(shape => ({ shapes: [shape], code: 'tf.unique(a).values', define: (a: Numbers) => a })), { smooth: false, kinds: [] }),
  subject('tf.oneHot', fc.array(fc.nat(3), { minLength: 1, maxLength: 4 }).map(ids => ({ shapes: [[ids.length, 4]], code: `tf.mul(a, tf.oneHot(tf.tensor1d(${list(ids)}, 'int32'), 4))`, define: (a: Numbers) => numbers(a.shape, (i, j) => (ids[i!] === j ? at(a, i!, j!) : 0)) })), { kinds: ['offset'] }),
  subject('tf.squeeze of tf.expandDims', shapes(3).map(shape => ({ shapes: [shape], code: 'tf.squeeze(tf.expandDims(a, 1), [1])', define: (a: Numbers) => a })), { kinds: moved }),
  subject('tf.cast to int32 and back', shapes(2).map(shape => ({ shapes: [shape], code: "tf.cast(tf.cast(a, 'int32'), 'float32')", define: (a: Numbers) => each(a, Math.trunc) })), { smooth: false, kinds: ['offset', 'large'] }),
]
