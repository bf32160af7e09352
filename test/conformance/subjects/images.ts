import fc from 'fast-check'
import { at, meanOf, numbers, plus, type Numbers } from '../../../src/testing/oracles/numbers.js'
import { list, size, subject, type Call, type Subject } from '../subject.js'

type Two = readonly [number, number]
type Pad = 'same' | 'valid' | readonly [Two, Two]

/** Along one axis: how many windows there are, and where the first begins. */
const along = (n: number, window: number, stride: number, pad: Pad, axis: 0 | 1): readonly [count: number, begin: number] => {
  if (pad === 'valid') return [Math.floor((n - window) / stride) + 1, 0]
  if (pad !== 'same') return [Math.floor((n + pad[axis][0] + pad[axis][1] - window) / stride) + 1, -pad[axis][0]]
  const count = Math.ceil(n / stride)
  return [count, -Math.floor(Math.max(0, (count - 1) * stride + window - n) / 2)]
}

interface Geometry {
  readonly batch: number
  readonly height: number
  readonly width: number
  readonly channels: number
  readonly kernel: Two
  readonly strides: Two
  readonly dilations: Two
  readonly pad: Pad
}

const pair = (most: number): fc.Arbitrary<Two> => fc.tuple(size(most), size(most))
const geometry = (more: { readonly [K in keyof Geometry]?: fc.Arbitrary<Geometry[K]> } = {}): fc.Arbitrary<Geometry> =>
  fc
    .record({ batch: size(2), height: size(5), width: size(5), channels: size(2), kernel: pair(3), strides: pair(2), dilations: fc.constant<Two>([1, 1]), pad: fc.constantFrom<Pad>('valid', 'same'), ...more } as { readonly [K in keyof Geometry]: fc.Arbitrary<Geometry[K]> })
    .filter(g => ([0, 1] as const).every(axis => along([g.height, g.width][axis]!, (g.kernel[axis] - 1) * g.dilations[axis] + 1, g.strides[axis], g.pad, axis)[0] > 0))
const plain: Partial<Record<'strides' | 'dilations', fc.Arbitrary<Two>>> = { strides: fc.constant<Two>([1, 1]), dilations: pair(2) }
const explicit: fc.Arbitrary<Pad> = fc.tuple(fc.tuple(fc.nat(1), fc.nat(1)), fc.tuple(fc.nat(1), fc.nat(1)))

/** Every window of an image: what `f` makes of it, given how to read element `(i, j)` of it; `undefined` outside of the image. */
const windows = (x: Numbers, g: Geometry, out: number, f: (read: (i: number, j: number, c: number) => number | undefined, channel: number) => number): Numbers => {
  const axis = (i: 0 | 1): readonly [number, number] => along(x.shape[i + 1]!, (g.kernel[i] - 1) * g.dilations[i] + 1, g.strides[i], g.pad, i)
  const [[rows, top], [columns, left]] = [axis(0), axis(1)]
  return numbers([x.shape[0]!, rows, columns, out], (sample, row, column, channel) =>
    f((i, j, c) => {
      const [y, z] = [top + row! * g.strides[0] + i * g.dilations[0], left + column! * g.strides[1] + j * g.dilations[1]]
      return y < 0 || z < 0 || y >= x.shape[1]! || z >= x.shape[2]! ? undefined : at(x, sample!, y, z, c)
    }, channel!))
}

/** `[height, width, in, out]` filters over `[batch, height, width, in]`. */
const correlated = (x: Numbers, filter: Numbers, g: Geometry): Numbers =>
  windows(x, g, filter.shape[3]!, (read, channel) => {
    let total = 0
    for (let i = 0; i < g.kernel[0]; i++) for (let j = 0; j < g.kernel[1]; j++) for (let c = 0; c < g.channels; c++) total += (read(i, j, c) ?? 0) * at(filter, i, j, c, channel)
    return total
  })

/** `[height, width, in, multiplier]` filters, each channel by itself. */
const depthwise = (x: Numbers, filter: Numbers, g: Geometry): Numbers => {
  const multiplier = filter.shape[3]!
  return windows(x, g, g.channels * multiplier, (read, channel) => {
    const c = Math.floor(channel / multiplier)
    let total = 0
    for (let i = 0; i < g.kernel[0]; i++) for (let j = 0; j < g.kernel[1]; j++) total += (read(i, j, c) ?? 0) * at(filter, i, j, c, channel % multiplier)
    return total
  })
}

const image = ({ batch, height, width, channels }: Geometry): readonly number[] => [batch, height, width, channels]
const padding = (pad: Pad): string => (typeof pad === 'string' ? `'${pad}'` : list([[0, 0], [...pad[0]], [...pad[1]], [0, 0]]))

const conv2d = (g: Geometry, out: number): Call => ({
  shapes: [image(g), [...g.kernel, g.channels, out]],
  code: g.dilations.every(d => d === 1) ? `tf.conv2d(a, b, ${list(g.strides)}, ${padding(g.pad)})` : `tf.conv2d(a, b, ${list(g.strides)}, ${padding(g.pad)}, 'NHWC', ${list(g.dilations)})`,
  define: (x: Numbers, filter: Numbers) => correlated(x, filter, g),
})
const convolution = (name: string, g: fc.Arbitrary<Geometry>): Subject => subject(`tf.conv2d${name}`, fc.tuple(g, size(2)).map(([geo, out]) => conv2d(geo, out)), { kinds: ['zeros'] })

const depthwiseCall = (g: Geometry, multiplier: number): Call => ({
  shapes: [image(g), [...g.kernel, g.channels, multiplier]],
  code: g.dilations.every(d => d === 1) ? `tf.depthwiseConv2d(a, b, ${list(g.strides)}, ${padding(g.pad)})` : `tf.depthwiseConv2d(a, b, ${list(g.strides)}, ${padding(g.pad)}, 'NHWC', ${list(g.dilations)})`,
  define: (x: Numbers, filter: Numbers) => depthwise(x, filter, g),
})

const pool = (name: 'maxPool' | 'avgPool', label: string, g: fc.Arbitrary<Geometry>): Subject =>
  subject(
    `tf.${name}${label}`,
    g.map(geo => ({
      shapes: [image(geo)],
      code: `tf.${name}(a, ${list(geo.kernel)}, ${list(geo.strides)}, ${padding(geo.pad)})`,
      define: (x: Numbers) =>
        windows(x, geo, geo.channels, (read, channel) => {
          const inside: number[] = []
          for (let i = 0; i < geo.kernel[0]; i++) for (let j = 0; j < geo.kernel[1]; j++) { const v = read(i, j, channel); if (v !== undefined) inside.push(v) }
          return name === 'maxPool' ? Math.max(...inside) : meanOf(inside)
        }),
    })),
    { kinds: name === 'maxPool' ? ['offset'] : ['offset', 'zeros'] },
  )

/** Windows side by side, each wholly inside. */
const tiled = geometry({ pad: fc.constant<Pad>('valid') }).map(g => ({ ...g, strides: g.kernel }))
const overlapping = geometry({ pad: fc.constant<Pad>('valid'), strides: fc.constant<Two>([1, 1]) }).filter(({ kernel }) => Math.max(...kernel) > 1)
const padded = geometry({ pad: fc.constant<Pad>('same') })

/** Linear interpolation between the two neighbours of a point, those beyond the border being the border. */
const resized = (x: Numbers, [rows, columns]: Two, how: 'plain' | 'corners' | 'half'): Numbers => {
  const position = (i: number, from: number, to: number): number => (how === 'corners' ? (to === 1 ? 0 : (i * (from - 1)) / (to - 1)) : how === 'half' ? ((i + 0.5) * from) / to - 0.5 : (i * from) / to)
  const clamp = (i: number, n: number): number => Math.min(n - 1, Math.max(0, i))
  const { shape: [batch, height, width, channels] } = x as { readonly shape: readonly number[] }
  return numbers([batch!, rows, columns, channels!], (sample, row, column, c) => {
    const [y, z] = [Math.max(0, position(row!, height!, rows)), Math.max(0, position(column!, width!, columns))]
    const [dy, dz] = [y - Math.floor(y), z - Math.floor(z)]
    const read = (i: 0 | 1, j: 0 | 1): number => at(x, sample!, clamp(Math.floor(y) + i, height!), clamp(Math.floor(z) + j, width!), c!)
    return (1 - dy) * ((1 - dz) * read(0, 0) + dz * read(0, 1)) + dy * ((1 - dz) * read(1, 0) + dz * read(1, 1))
  })
}
const resize = (label: string, flags: string, how: 'plain' | 'corners' | 'half'): Subject =>
  subject(`tf.image.resizeBilinear${label}`, fc.tuple(size(2), pair(4), size(2), pair(5)).map(([batch, from, channels, to]) => ({ shapes: [[batch, ...from, channels]], code: `tf.image.resizeBilinear(a, ${list(to)}${flags})`, define: (x: Numbers) => resized(x, to, how) })), { kinds: ['offset', 'zeros'] })

/** Convolutions, pools and resizing of images, `[batch, height, width, channels]`. */
export const images: readonly Subject[] = [
  convolution('', geometry()),
  convolution(', dilated', geometry(plain)),
  convolution(', explicit padding', geometry({ pad: explicit })),
  subject('tf.conv2d, padding as a number', fc.tuple(geometry({ pad: fc.constant<Pad>([[1, 1], [1, 1]]), strides: size(2).map(n => [n, n] as const) }), size(2)).map(([g, out]) => ({ ...conv2d(g, out), code: `tf.conv2d(a, b, ${g.strides[0]}, 1)` })), { kinds: ['zeros'] }),
  subject('tf.conv2d, patches', fc.tuple(size(2), size(2), size(3), size(2), size(2)).map(([batch, rows, patch, channels, out]) => conv2d({ batch, height: rows * patch, width: patch, channels, kernel: [patch, patch], strides: [patch, patch], dilations: [1, 1], pad: 'valid' }, out)), { kinds: ['zeros'] }),
  subject('tf.fused.conv2d', fc.tuple(geometry(), size(2)).map(([g, out]) => {
    const { shapes, define } = conv2d(g, out)
    return { shapes: [...shapes, [out]], code: `tf.fused.conv2d({ x: a, filter: b, strides: ${list(g.strides)}, pad: ${padding(g.pad)}, bias: c })`, define: (x: Numbers, f: Numbers, b: Numbers) => { const y = define(x, f); return plus(y, numbers(y.shape, (...place) => at(b, place[3]!))) } }
  }), { kinds: ['zeros'] }),
  subject('tf.depthwiseConv2d', fc.tuple(geometry({ strides: size(2).map(n => [n, n] as const) }), size(2)).map(([g, multiplier]) => depthwiseCall(g, multiplier)), { kinds: ['zeros'] }),
  subject('tf.depthwiseConv2d, dilated', fc.tuple(geometry(plain), size(2)).map(([g, multiplier]) => depthwiseCall(g, multiplier)), { kinds: ['zeros'] }),
  subject('tf.separableConv2d', fc.tuple(geometry({ strides: size(2).map(n => [n, n] as const) }), size(2)).map(([g, out]) => ({
    shapes: [image(g), [...g.kernel, g.channels, 1], [1, 1, g.channels, out]],
    code: `tf.separableConv2d(a, b, c, ${list(g.strides)}, ${padding(g.pad)})`,
    define: (x: Numbers, each: Numbers, mix: Numbers) => correlated(depthwise(x, each, g), mix, { ...g, kernel: [1, 1], strides: [1, 1], pad: 'valid' }),
  })), { kinds: ['zeros'] }),
  subject('tf.conv2dTranspose', fc.tuple(size(2), pair(3), size(2), pair(3), size(2), size(2)).map(([batch, [rows, columns], channels, kernel, stride, out]) => ({
    shapes: [[batch, rows, columns, channels], [...kernel, out, channels]],
    code: `tf.conv2dTranspose(a, b, ${list([batch, (rows - 1) * stride + kernel[0], (columns - 1) * stride + kernel[1], out])}, ${list([stride, stride])}, 'valid')`,
    define: (x: Numbers, filter: Numbers) =>
      numbers([batch, (rows - 1) * stride + kernel[0], (columns - 1) * stride + kernel[1], out], (sample, y, z, o) => {
        let total = 0
        for (let row = 0; row < rows; row++)
          for (let column = 0; column < columns; column++) {
            const [i, j] = [y! - row * stride, z! - column * stride]
            if (i >= 0 && j >= 0 && i < kernel[0] && j < kernel[1]) for (let c = 0; c < channels; c++) total += at(x, sample!, row, column, c) * at(filter, i, j, o!, c)
          }
        return total
      }),
  })), { kinds: ['zeros'] }),
  pool('maxPool', ', side by side', tiled),
  pool('maxPool', ', overlapping', overlapping),
  pool('maxPool', ', same padding', padded),
  pool('avgPool', ', side by side', tiled),
  pool('avgPool', ', overlapping', overlapping),
  pool('avgPool', ', same padding', padded),
  resize('', '', 'plain'),
  resize(', aligned corners', ', true', 'corners'),
  resize(', half-pixel centres', ', false, true', 'half'),
  subject('tf.image.resizeNearestNeighbor', fc.tuple(size(2), pair(4), size(2), pair(5)).map(([batch, from, channels, to]) => ({
    shapes: [[batch, ...from, channels]],
    code: `tf.image.resizeNearestNeighbor(a, ${list(to)})`,
    define: (x: Numbers) => numbers([batch, ...to, channels], (sample, row, column, c) => at(x, sample!, Math.floor((row! * from[0]) / to[0]), Math.floor((column! * from[1]) / to[1]), c!)),
  })), { kinds: ['offset'] }),
  subject('tf.image.cropAndResize', fc.tuple(pair(4), size(2), pair(3)).map(([from, channels, to]) => ({
    shapes: [[1, ...from, channels]],
    code: `tf.image.cropAndResize(a, tf.tensor2d([0, 0, 1, 1], [1, 4]), tf.tensor1d([0], 'int32'), ${list(to)}, 'bilinear')`,
    define: (x: Numbers) => {
      // A single row or column is taken from the middle of the box.
      const middle = to.map((n, axis) => (n === 1 ? (from[axis]! - 1) / 2 : undefined))
      return numbers([1, ...to, channels], (_, row, column, c) => {
        const [y, z] = [row, column].map((i, axis) => middle[axis] ?? (i! * (from[axis]! - 1)) / (to[axis]! - 1)) as [number, number]
        const [y0, z0] = [Math.floor(y), Math.floor(z)]
        const read = (i: number, j: number): number => at(x, 0, Math.min(i, from[0] - 1), Math.min(j, from[1] - 1), c!)
        return (1 - y + y0) * ((1 - z + z0) * read(y0, z0) + (z - z0) * read(y0, z0 + 1)) + (y - y0) * ((1 - z + z0) * read(y0 + 1, z0) + (z - z0) * read(y0 + 1, z0 + 1))
      })
    },
  })), { kinds: ['offset'] }),
  subject('tf.batchNorm', fc.tuple(size(2), size(3), size(3)).map(([batch, rows, channels]) => ({
    shapes: [[batch, rows, channels], [channels], [channels], [channels], [channels]],
    code: 'tf.batchNorm(a, b, tf.add(tf.square(c), 0.5), d, e, 1e-3)',
    define: (x: Numbers, mean: Numbers, root: Numbers, shift: Numbers, scale: Numbers) => numbers(x.shape, (...place) => {
      const c = place.at(-1)!
      return ((at(x, ...place) - at(mean, c)) / Math.sqrt(at(root, c) ** 2 + 0.5 + 1e-3)) * at(scale, c) + at(shift, c)
    }),
  })), { kinds: ['zeros'] }),
]
