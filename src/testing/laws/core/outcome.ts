import { isTensor, tensorsOf, type Signal, type Tensor } from '../../../ops/tensor.js'
import type { Value } from '../../../ops/definition/value.js'

/** One tensor that a run gave, under the name of its field (empty for a single output). */
export interface Given {
  readonly name: string
  readonly node: Tensor
  readonly values: ArrayLike<number>
}

/** All that a run gave. */
export type Outcome = readonly Given[]

/** What a program gave for a signal, field by field. */
export const outcomeOf = (signal: Signal, result: unknown, name = ''): Outcome =>
  isTensor(signal)
    ? [{ name, node: signal, values: result as Float32Array }]
    : Object.entries(signal).flatMap(([field, inner]) => outcomeOf(inner, (result as Readonly<Record<string, unknown>>)[field], name === '' ? field : `${name}.${field}`))

/** Values by definition as a program would give them: what has no batch is repeated for each sample. */
export const definedOutcome = (signal: Signal, values: readonly Value[], batch: number): Outcome => {
  const found = new Map(tensorsOf(signal).map((node, i) => [node, values[i]!]))
  const collect = (s: Signal, name: string): Outcome => {
    if (!isTensor(s)) return Object.entries(s).flatMap(([field, inner]) => collect(inner, name === '' ? field : `${name}.${field}`))
    const { data } = found.get(s)!
    return [{ name, node: s, values: s.batched ? data : repeated(data, batch) }]
  }
  return collect(signal, '')
}

const repeated = (data: Float64Array, batch: number): Float64Array => {
  const all = new Float64Array(data.length * batch)
  for (let i = 0; i < batch; i++) all.set(data, i * data.length)
  return all
}

/** The place where two outcomes differ most, as a part of the largest number there. */
export interface Difference {
  readonly error: number
  /** In words: which number, and what it is on both sides. */
  readonly where: string
}

/** How far two outcomes of one shape lie apart; infinitely if a number of one is not finite and the other is, or if sizes differ. */
export const difference = (actual: Outcome, expected: Outcome): Difference => {
  let worst: Difference = { error: 0, where: 'nowhere' }
  if (actual.length !== expected.length) return { error: Infinity, where: `${actual.length} outputs against ${expected.length}` }
  actual.forEach(({ name, node, values }, at) => {
    const other = expected[at]!.values
    const named = name === '' ? 'the output' : `'${name}'`
    if (values.length !== other.length) {
      worst = { error: Infinity, where: `${named} has ${values.length} numbers against ${other.length}` }
      return
    }
    const scale = largest(other)
    for (let i = 0; i < values.length; i++) {
      const [a, b] = [values[i]!, other[i]!]
      if (Object.is(a, b) || a === b) continue
      const apart = Math.abs(a - b) / scale
      const error = Number.isNaN(apart) ? Infinity : apart
      if (error > worst.error) worst = { error, where: `${named}${placeOf(i, node.shape)} is ${short(a)}, not ${short(b)}` }
    }
  })
  return worst
}

/** The largest number, by which errors are measured; never so small that noise looks large. */
const largest = (values: ArrayLike<number>): number => {
  let most = 1e-3
  for (let i = 0; i < values.length; i++) if (Number.isFinite(values[i])) most = Math.max(most, Math.abs(values[i]!))
  return most
}

const short = (x: number): string => (Number.isFinite(x) ? String(Number(x.toPrecision(6))) : String(x))

/** `[3, 0]` of sample 1, say. */
export const placeOf = (index: number, shape: readonly number[]): string => {
  const at: number[] = []
  let rest = index
  for (const size of [...shape].reverse()) {
    at.unshift(rest % size)
    rest = Math.floor(rest / size)
  }
  return `${at.length === 0 ? '' : ` at [${at.join(', ')}]`}${rest === 0 ? '' : ` of sample ${rest}`}`
}
