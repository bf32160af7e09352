/**
 * The few words the oracles are written in: plain arrays in double precision, without a batch axis. They share
 * nothing with `src/ops`, so that a fault there cannot hide here.
 */
export interface Numbers {
  readonly shape: readonly number[]
  readonly data: Float64Array
}

/** How many elements a shape holds. */
export const countOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1)

/** The numbers of a shape, each from its place. */
export const numbers = (shape: readonly number[], f: (...at: number[]) => number): Numbers => {
  const data = new Float64Array(countOf(shape))
  const at = shape.map(() => 0)
  for (let i = 0; i < data.length; i++) {
    data[i] = f(...at)
    for (let axis = shape.length - 1; axis >= 0 && ++at[axis]! === shape[axis]; axis--) at[axis] = 0
  }
  return { shape, data }
}

/** The element at a place. */
export const at = ({ shape, data }: Numbers, ...place: readonly number[]): number => data[place.reduce((index, i, axis) => index * shape[axis]! + i, 0)]!

/** The same elements under other sizes. */
export const shaped = ({ data }: Numbers, ...shape: readonly number[]): Numbers => {
  if (countOf(shape) !== data.length) throw new RangeError(`${data.length} elements do not fill ${shape.join('×')}`)
  return { shape, data }
}

/** Every element changed by itself. */
export const each = ({ shape, data }: Numbers, f: (x: number) => number): Numbers => ({ shape, data: data.map(f) })

/** Two arrays of one shape, element by element. */
export const both = (a: Numbers, b: Numbers, f: (x: number, y: number) => number): Numbers => {
  if (a.shape.join() !== b.shape.join()) throw new RangeError(`${a.shape.join('×')} is not ${b.shape.join('×')}`)
  return { shape: a.shape, data: a.data.map((x, i) => f(x, b.data[i]!)) }
}

/** The sum of two arrays of one shape. */
export const plus = (a: Numbers, b: Numbers): Numbers => both(a, b, (x, y) => x + y)

/** The parts along the first axis. */
export const partsOf = ({ shape: [count, ...shape], data }: Numbers): readonly Numbers[] => {
  const size = countOf(shape)
  return Array.from({ length: count! }, (_, i) => ({ shape, data: data.subarray(i * size, (i + 1) * size) }))
}

/** Parts of one shape, one after the other along a new first axis. */
export const stacked = (parts: readonly Numbers[]): Numbers => ({
  shape: [parts.length, ...parts[0]!.shape],
  data: Float64Array.from(parts.flatMap(part => Array.from(part.data))),
})

/** The vector of channels at every place, replaced by another: `[..., channels] → [..., out]`. */
export const channelwise = (x: Numbers, f: (channels: Float64Array) => ArrayLike<number>): Numbers => {
  const channels = x.shape.at(-1)!
  const made = Array.from({ length: x.data.length / channels }, (_, i) => f(x.data.subarray(i * channels, (i + 1) * channels)))
  const out = made[0]!.length
  const data = new Float64Array(made.length * out)
  made.forEach((row, i) => data.set(row, i * out))
  return { shape: [...x.shape.slice(0, -1), out], data }
}

/** `W v + b` for the vector of channels at every place, `W` being `[out, in]` (any further axes of size 1). */
export const project = (x: Numbers, weight: Numbers, bias?: Numbers): Numbers => {
  const [out, w] = [weight.shape[0]!, weight.data]
  return channelwise(x, v => {
    const y = new Float64Array(out)
    const size = v.length
    for (let o = 0; o < out; o++) {
      let total = bias === undefined ? 0 : bias.data[o]!
      for (let i = 0; i < size; i++) total += w[o * size + i]! * v[i]!
      y[o] = total
    }
    return y
  })
}

/** The arithmetic mean. */
export const meanOf = (values: ArrayLike<number>): number => {
  let total = 0
  for (let i = 0; i < values.length; i++) total += values[i]!
  return total / values.length
}

/** `(v − mean) / √(variance + ε)`, the variance being the biased one. */
export const standardised = (values: ArrayLike<number>, epsilon: number): Float64Array => {
  const mean = meanOf(values)
  const centred = Float64Array.from(values, v => v - mean)
  const deviation = Math.sqrt(meanOf(centred.map(v => v * v)) + epsilon)
  return centred.map(v => v / deviation)
}

/** `eᵛ / Σ eᵛ`. */
export const softmaxOf = (values: ArrayLike<number>): Float64Array => {
  let largest = -Infinity
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, values[i]!)
  const raised = Float64Array.from(values, v => Math.exp(v - largest))
  const total = meanOf(raised) * raised.length
  return raised.map(v => v / total)
}
