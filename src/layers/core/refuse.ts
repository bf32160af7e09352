import { isTensor, type Signal } from '../../ops/tensor.js'
import type { Problem } from '../../shape/problem.js'
import type { SentenceCode } from '../../shape/sentence.js'
import { show, type SignalShape } from '../../shape/shape.js'
import { misfit } from '../../shape/shapeError.js'

/**
 * How a `forward` refuses a signal whose misfit shows only once an inner layer has run. Tracing catches
 * it at the layer and returns the problem as a `Left`; it never leaves the library.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  constructor(readonly problem: Problem) {
    super(problem.sentence)
  }
}

/** The shape of a traced signal. */
export const shapeOfSignal = (s: Signal): SignalShape =>
  isTensor(s) ? (s.dtype === 'int32' ? { integers: s.shape } : s.shape) : Object.fromEntries(Object.entries(s).map(([name, field]) => [name, shapeOfSignal(field)]))

/** Refuses with a sentence. */
export const refuse = (code: SentenceCode, filling: Readonly<Record<string, string | number>>, more: Partial<Problem> = {}): never => {
  throw new Refusal(misfit(code, filling, more))
}

/** Refuses an inner layer that changed a shape it had to keep. */
export const refuseChange = (code: 'residualMisfit' | 'repeatMisfit', before: Signal, after: Signal): never =>
  refuse(code, { before: show(shapeOfSignal(before)), after: show(shapeOfSignal(after)) })
