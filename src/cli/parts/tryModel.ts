import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { compile } from '../../backends/compile.js'
import { cost } from '../../graph/cost.js'
import { trace } from '../../graph/trace.js'
import type { AnyModel } from '../../layers/core/model.js'
import { shapeOfSignal } from '../../layers/core/refuse.js'
import { isTensor, type Signal } from '../../ops/tensor.js'
import { problem, type Problem } from '../../shape/problem.js'
import { show, sizeOf, type SignalShape } from '../../shape/shape.js'
import { backends } from './backends.js'
import { sampleInput } from './sampleInput.js'
import { seededWeights } from './seededWeights.js'

/** What a model turned out to be. */
export interface Tried {
  readonly output: SignalShape
  readonly params: number
  readonly backend: string
}

/** Up to this many multiply-adds the plain loops of `reference` take under a second. */
const smallEnough = 2e7

const batches = [1, 3]

/**
 * Traces a model and runs it once on one sample and once on three, with made-up weights and inputs: on
 * `reference` where it is small, else on `wasm`.
 *
 * Errors: those of `trace` and `compile`; `outputMisfit` (it does not give what was traced), `notFinite`.
 */
export const tryModel = (model: AnyModel): TaskEither<Problem, Tried> => async () => {
  const traced = trace(model)
  if (traced._tag === 'Left') return traced
  const { params, macs } = cost(traced.right)
  const backend = await backends.find(macs.total <= smallEnough ? 'reference' : 'wasm')()
  if (backend._tag === 'Left') return backend
  const program = await compile(model, { backend: backend.right, weights: seededWeights(traced.right, 0) })()
  if (program._tag === 'Left') return program
  try {
    for (const batch of batches) {
      const ran = await program.right.run(sampleInput(model.input, batch) as never)()
      const wrong = ran._tag === 'Left' ? ran : inspect(traced.right.output, ran.right, batch, 'output')
      if (wrong._tag === 'Left') return wrong
    }
  } finally {
    program.right.dispose()
  }
  return right({ output: shapeOfSignal(traced.right.output), params, backend: backend.right.name })
}

const inspect = (signal: Signal, given: unknown, batch: number, where: string): Either<Problem, void> => {
  if (!isTensor(signal)) {
    for (const [name, field] of Object.entries(signal)) {
      const wrong = inspect(field, (given as Readonly<Record<string, unknown>>)[name], batch, `${where}.${name}`)
      if (wrong._tag === 'Left') return wrong
    }
    return right(undefined)
  }
  const values = given as Float32Array
  if (values.length !== batch * sizeOf(signal.shape)) return left(problem('outputMisfit', `${where}: a batch of ${batch} gives ${values.length} numbers, but ${show(signal.shape)} was traced`))
  return values.every(Number.isFinite) ? right(undefined) : left(problem('notFinite', `${where}: a batch of ${batch} gives numbers that are not finite`))
}
