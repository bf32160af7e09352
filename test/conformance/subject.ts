import fc from 'fast-check'
import { numbers, type Numbers } from '../../src/testing/oracles/numbers.js'

/** How the elements of an input are chosen. The first is what gradients are measured on: distinct, and far from kinks. */
export type Kind = 'ordinary' | 'offset' | 'large' | 'zeros' | 'denormals'

/** One call of a tfjs operation, with what it should give. */
export interface Case {
  /** Shapes of the inputs `a`, `b`, `c`, …, in this order. */
  readonly shapes: readonly (readonly number[])[]
  /** The call as people write it, in terms of `tf`, `a`, `b`, …; what is tested is what is printed. */
  readonly code: string
  /** What it means, in double precision and plain loops. */
  readonly define: (...inputs: readonly Numbers[]) => Numbers
  /** Changes the values that were drawn, where the operation is not defined everywhere. */
  readonly domain?: (value: number) => number
  /** Draws the order of the values. */
  readonly seed: number
  readonly kind: Kind
}

/** An operation of tfjs. */
export interface Subject {
  readonly name: string
  readonly cases: fc.Arbitrary<Case>
  /** Whether it has a gradient by nature. */
  readonly smooth: boolean
}

/** What a subject says of a case; values are drawn for it. */
export type Call = Pick<Case, 'shapes' | 'code' | 'define' | 'domain'>

/** A subject out of an arbitrary of calls. `kinds`: values it is tried on beside ordinary ones. */
export const subject = (name: string, calls: fc.Arbitrary<Call>, { smooth = true, kinds = ['offset', 'large', 'zeros', 'denormals'] as readonly Kind[] } = {}): Subject => ({
  name,
  smooth,
  cases: fc.tuple(calls, fc.nat(999), fc.oneof({ weight: 4, arbitrary: fc.constant<Kind>('ordinary') }, { weight: 1, arbitrary: fc.constantFrom<Kind>('ordinary', ...kinds) })).map(([call, seed, kind]) => ({ ...call, seed, kind })),
})

/** The names of the inputs, as code has them. */
export const namesOf = ({ shapes }: Pick<Case, 'shapes'>): readonly string[] => shapes.map((_, i) => 'abcdefgh'[i]!)

/**
 * The inputs of a case: multiples of 1/16 from about −2 to 2, in an order that depends on the seed, all different in
 * one input as long as it has at most 64 elements; or the same made hostile. All are numbers of float32.
 */
export const inputsOf = ({ shapes, seed, kind, domain = x => x }: Case): readonly Numbers[] =>
  shapes.map((shape, input) => {
    const count = shape.reduce((product, size) => product * size, 1)
    const order = shuffled(count, seed * 8 + input)
    let next = 0
    return numbers(shape, () => {
      const i = order[next++]!
      const ordinary = Math.round(16 * (i - (count - 1) / 2) * (4 / Math.max(count, 4)) + 0.4) / 16
      const hostile = { ordinary, offset: 1.2345 * ordinary + 1000, large: 1.2345e4 * ordinary, zeros: 0, denormals: ordinary * 1e-40 }[kind]
      return Math.fround(domain(hostile))
    })
  })

const shuffled = (count: number, seed: number): readonly number[] => {
  const order = Array.from({ length: count }, (_, i) => i)
  let state = (seed * 2654435761 + 12345) >>> 0
  for (let i = count - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const j = Math.floor((state / 2 ** 32) * (i + 1))
    const kept = order[i]!
    order[i] = order[j]!
    order[j] = kept
  }
  return order
}

/** A shape as code. */
export const list = (values: ArrayLike<unknown>): string => `[${Array.from(values).map(value => (Array.isArray(value) ? list(value as readonly unknown[]) : String(value))).join(', ')}]`

/** Sizes of an axis: small, so that smallest cases are easily read. */
export const size = (most = 5, least = 1): fc.Arbitrary<number> => fc.integer({ min: least, max: most })

/** Shapes of at most 64 elements. */
export const shapes = (maxRank = 4, minRank = 1): fc.Arbitrary<number[]> =>
  fc.array(size(4), { minLength: minRank, maxLength: maxRank }).filter(shape => shape.reduce((product, n) => product * n, 1) <= 64)

/** Two shapes that broadcast: some axes of either are 1, and one may lack leading axes. */
export const broadcastPairs = (maxRank = 4): fc.Arbitrary<readonly [number[], number[]]> =>
  fc.tuple(shapes(maxRank), fc.nat(maxRank), fc.array(fc.constantFrom(0, 0, 0, 1, 2), { minLength: maxRank, maxLength: maxRank }), fc.boolean()).map(([shape, missing, ones, swapped]) => {
    const a = shape.map((n, axis) => (ones[axis] === 1 ? 1 : n))
    const b = shape.map((n, axis) => (ones[axis] === 2 ? 1 : n)).slice(Math.min(missing, shape.length - 1))
    return swapped ? [b, a] : [a, b]
  })
