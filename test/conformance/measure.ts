import type * as Tf from '@tensorflow/tfjs-core'
import type { Numbers } from '../../src/testing/oracles/numbers.js'
import { inputsOf, namesOf, type Case } from './subject.js'

/** tfjs, as the functions of this folder need it. */
export type Tfjs = typeof Tf

/** How one side of a case, its values or its gradient, came out. */
export type Outcome =
  | { readonly kind: 'value'; readonly error: number }
  /** `input`: the one whose gradient is wrong. `shapes`: that of the result and the one it should have, where they differ. */
  | { readonly kind: 'wrong'; readonly error: number; readonly got: readonly number[]; readonly should: readonly number[]; readonly input?: number; readonly shapes?: readonly [readonly number[], readonly number[]] }
  | { readonly kind: 'no kernel' | 'no gradient' | 'throws' | 'corrupts' | 'crashes'; readonly says: string }

/** Beyond this, relative to the largest element where that exceeds 1, a result is wrong. float32 alone stays a hundred times below. */
export const limits = { forward: 2e-5, gradient: 2e-5 } as const

/** The expression of a case, compiled; `tf` and the inputs are what it may use. */
const compiled = (one: Case): ((tf: Tfjs, inputs: readonly Tf.Tensor[]) => Tf.Tensor) => {
  const f = new Function('tf', ...namesOf(one), `return ${one.code}`) as (...all: readonly unknown[]) => Tf.Tensor
  return (tf, inputs) => f(tf, ...inputs)
}

const failure = (fault: unknown): Outcome => {
  const says = (fault instanceof Error ? fault.message : String(fault)).split('\n')[0]!
  const kernel = /Kernel '(\w+)' not registered for backend/.exec(says)
  if (kernel !== null) return { kind: 'no kernel', says: kernel[1]! }
  return { kind: /[Nn]o gradient|gradient function not found|is not differentiable|gradFunc is not a function|Cannot compute gradient/.test(says) ? 'no gradient' : 'throws', says }
}

const compared = (got: readonly (readonly number[])[], should: readonly (readonly number[])[], limit: number, gradient: boolean): Outcome => {
  const errors = should.map((values, i) => {
    const largest = values.reduce((most, v) => (Number.isNaN(v) ? most : Math.max(most, Math.abs(v))), 1)
    if (got[i]!.length !== values.length) return Infinity
    return values.reduce((most, v, j) => (Number.isNaN(v) ? most : Number.isNaN(got[i]![j]!) ? Infinity : Math.max(most, Math.abs(v - got[i]![j]!) / largest)), 0)
  })
  const error = Math.max(...errors)
  if (error <= limit) return { kind: 'value', error }
  const input = errors.indexOf(error)
  return { kind: 'wrong', error, got: got[input]!, should: should[input]!, ...(gradient ? { input } : {}) }
}

/** Numbers beside the inputs that nothing may write to. */
const canary = Array.from({ length: 16 }, (_, i) => 1000 + i)

/** Runs `f`, and says whether memory beside its inputs is still as it was. Nothing is left behind. */
const guarded = async (tf: Tfjs, one: Case, f: (inputs: Tf.Tensor[]) => Promise<Outcome>): Promise<Outcome> => {
  tf.engine().startScope()
  try {
    const before = tf.tensor1d(canary)
    const inputs = inputsOf(one).map(({ data, shape }) => tf.tensor(Float32Array.from(data), [...shape]))
    const after = tf.tensor1d(canary)
    let outcome: Outcome
    try {
      outcome = await f(inputs)
    } catch (fault) {
      outcome = failure(fault)
    }
    const kept = await Promise.all([before, after].map(async t => Array.from(await t.data()).join() === canary.join()))
    return kept.includes(false) ? { kind: 'corrupts', says: 'tensors beside it have changed' } : outcome
  } finally {
    tf.engine().endScope()
  }
}

/** The values of a case on the active backend, against its definition. */
export const forward = (tf: Tfjs, one: Case): Promise<Outcome> =>
  guarded(tf, one, async inputs => {
    const should = one.define(...inputsOf(one))
    const got = compiled(one)(tf, inputs)
    if (got.shape.join() !== should.shape.join()) return { kind: 'wrong', error: Infinity, got: Array.from(await got.data()), should: Array.from(should.data), shapes: [got.shape, should.shape] }
    return compared([Array.from(await got.data())], [Array.from(should.data)], limits.forward, false)
  })

/** What the result of a case is weighted with before it is summed, for its gradient. */
export const weighting = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => ((i * 5) % 7) / 4 - 0.5)

/**
 * The gradients of a case in double precision: central differences of its definition, extrapolated once. NaN at a kink,
 * where there is none: the slopes to both sides differ.
 */
export const differences = (one: Case): readonly (readonly number[])[] => {
  const inputs = inputsOf(one)
  const weights = weighting(one.define(...inputs).data.length)
  const loss = (changed: number, element: number, by: number): number => {
    const moved = inputs.map((x, i): Numbers => (i === changed ? { ...x, data: x.data.map((v, j) => (j === element ? v + by : v)) } : x))
    return one.define(...moved).data.reduce((total, v, i) => total + v * weights[i]!, 0)
  }
  const here = loss(0, 0, 0)
  const slope = (i: number, j: number): number => {
    const h = 1e-3
    const [below, above, near] = [loss(i, j, -h), loss(i, j, h), (loss(i, j, h / 2) - loss(i, j, -h / 2)) / h]
    const central = (above - below) / (2 * h)
    return Math.abs(above - 2 * here + below) / h > 0.05 * Math.max(1, Math.abs(central)) ? NaN : (4 * near - central) / 3
  }
  return inputs.map((x, i) => Array.from(x.data, (_, j) => slope(i, j)))
}

/** The gradients of a case with `tf.grads` on the active backend, against finite differences of its definition. */
export const gradient = (tf: Tfjs, one: Case): Promise<Outcome> =>
  guarded(tf, one, async inputs => {
    const shape = one.define(...inputsOf(one)).shape
    const dy = tf.tensor([...weighting(shape.reduce((a, b) => a * b, 1))], [...shape])
    const got = tf.grads((...xs: Tf.Tensor[]) => compiled(one)(tf, xs))(inputs, dy)
    return compared(await Promise.all(got.map(async t => Array.from(await t.data()))), differences(one), limits.gradient, true)
  })
