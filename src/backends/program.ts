/// <reference lib="esnext.disposable" preserve="true" />
import { right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { isTensor, type Signal } from '../ops/tensor.js'
import type { Problem } from '../shape/problem.js'
import { sizeOf } from '../shape/shape.js'
import type { Values } from './device.js'
import type { RunOptions, Session } from './session.js'
import { feeds, toTensor, type Fed, type InputOf, type ResultOf } from './values.js'

/** The one routine of a program's session. It gives the model's `output`, and `features` by path. */
export const forward = 'forward'

/** What a program knows of its model. */
export interface ProgramParts {
  readonly inputs: Signal
  readonly output: Signal
  readonly features: Readonly<Record<string, Signal>>
  readonly parameters: readonly string[]
}

/**
 * A compiled model. Calls are queued and run one after the other; each frees what it made, so that memory
 * stays where it was. `dispose` frees the weights.
 */
export class Program<I, S> implements Disposable {
  constructor(private readonly session: Session<typeof forward>, private readonly parts: ProgramParts) {}

  /** The backend it runs on. */
  get backend(): string {
    return this.session.backend
  }

  /** How the backend runs less well here than it could, if it does: a sentence, and a way out. */
  get notice(): Problem | undefined {
    return this.session.notice
  }

  /** The names of its parameters. */
  get parameters(): readonly string[] {
    return this.parts.parameters
  }

  /**
   * Runs a batch: typed arrays holding whole samples one after the other, or tfjs tensors with a batch axis
   * in front; the result is of the same kind. The input is copied at once: it may be written to, or disposed of,
   * while the run is under way.
   *
   * Errors: `inputMisfit`, `aborted`, `disposed`, `missingKernels`, `runFailed`.
   */
  run<const X extends InputOf<I>>(input: X, options: RunOptions = {}): TaskEither<Problem, ResultOf<S, X>> {
    return async () => {
      const ran = await this.runWithFeatures(input, options)()
      return ran._tag === 'Left' ? ran : right(ran.right.output)
    }
  }

  /** Runs a batch and gives the features asked for at `compile` beside the output. */
  runWithFeatures<const X extends InputOf<I>>(input: X, options: RunOptions = {}): TaskEither<Problem, { readonly output: ResultOf<S, X>; readonly features: Readonly<Record<string, ResultOf<number[], X>>> }> {
    return async () => {
      const fed = feeds(this.parts.inputs, input)
      if (fed._tag === 'Left') return fed
      const ran = await this.session.runFed(forward, fed.right, options)()
      if (ran._tag === 'Left') return ran
      const { output, features } = this.parts
      return right((await handedOut({ output, features }, ran.right, fed.right)) as never)
    }
  }

  /** Frees the weights, once the runs already asked for have ended. Later runs give a `disposed` problem. */
  dispose(): void {
    this.session.dispose()
  }

  [Symbol.dispose](): void {
    this.dispose()
  }
}

/** Results as a caller gets them: once for each sample, also where they do not depend on it. */
const handedOut = async (signal: Signal, value: unknown, fed: Fed): Promise<unknown> => {
  if (isTensor(signal)) {
    const [values, size] = [value as Values, sizeOf(signal.shape)]
    const whole = values.length === size * fed.batch ? values : repeated(values, fed.batch)
    return fed.asTensors ? toTensor(whole, [fed.batch, ...signal.shape], signal.dtype) : whole
  }
  const fields: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(signal)) fields[name] = await handedOut(field, (value as Readonly<Record<string, unknown>>)[name], fed)
  return fields
}

const repeated = (values: Values, batch: number): Values => {
  const whole = values instanceof Int32Array ? new Int32Array(values.length * batch) : new Float32Array(values.length * batch)
  for (let i = 0; i < batch; i++) whole.set(values, i * values.length)
  return whole
}
