import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { isOp, isTensor, type Signal, type Tensor } from '../ops/tensor.js'
import { problem, type Problem } from '../shape/problem.js'
import { sizeOf } from '../shape/shape.js'
import { dropMaskValues } from './dropMaskValues.js'
import type { Device, Values } from './device.js'
import { Memory } from './memory.js'
import { plan, type Plan } from './plan.js'
import { feeds, toTensor, type Feed, type InputOf, type ResultOf } from './values.js'

/** What `compile` hands over. */
export interface ProgramParts {
  readonly device: Device
  readonly inputs: Signal
  readonly output: Signal
  readonly features: Readonly<Record<string, Signal>>
  readonly each: readonly Tensor[]
  readonly held: ReadonlySet<Tensor>
  readonly weights: Memory<unknown>
  /** Weights in the form one node's kernel wants. */
  readonly adapted: ReadonlyMap<Tensor, unknown>
  readonly parameters: readonly string[]
}

/** What a run is fed, already matched and copied. */
interface Fed {
  readonly feeds: readonly Feed[]
  readonly batch: number
  readonly asTensors: boolean
}

/** Options of a run. */
export interface RunOptions {
  /** Stops the run between two ops; the run then gives an `aborted` problem and frees all it held. */
  readonly signal?: AbortSignal
  /** Seed and step of the random streams of training mode; the same ones give the same masks on every backend. */
  readonly seed?: number
  readonly step?: number
}

/** How long a run that can be aborted computes before it lets other work in, in milliseconds. */
const turn = 20

/**
 * A compiled model. Calls are queued and run one after the other; each frees what it made, so that memory
 * stays where it was. `dispose` frees the weights.
 */
export class Program<I, S> implements Disposable {
  private readonly plans = new Map<number, Plan<unknown>>()
  private queue: Promise<unknown> = Promise.resolve()
  private disposed = false

  constructor(private readonly parts: ProgramParts) {}

  /** The backend it runs on. */
  get backend(): string {
    return this.parts.device.name
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
    return () => {
      if (this.disposed) return Promise.resolve(left(problem('disposed', 'run: this program has been disposed of', { remedy: 'compile the model again' })))
      const matched = feeds(this.parts.inputs, input)
      if (matched._tag === 'Left') return Promise.resolve(matched)
      const ran = this.queue.then(() => this.execute(matched.right, options))
      this.queue = ran.catch(() => undefined)
      return ran as Promise<never>
    }
  }

  /** Frees the weights, once the runs already asked for have ended. Later runs give a `disposed` problem. */
  dispose(): void {
    if (this.disposed) return
    this.disposed = true
    this.queue = this.queue.then(() => {
      for (const buffer of this.parts.adapted.values()) this.parts.device.free(buffer)
      this.parts.weights.release()
    })
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  private async execute({ feeds: given, batch, asTensors }: Fed, options: RunOptions): Promise<Either<Problem, { output: unknown; features: Record<string, unknown> }>> {
    const memory = new Memory<unknown>(this.parts.device, this.parts.weights)
    try {
      const planned = this.planFor(batch)
      if (planned._tag === 'Left') return planned
      const values = new Map<Tensor, Values>()
      for (const feed of given) values.set(feed.node, await feed.values)
      const wrong = outOfRange(this.parts.each, values)
      if (wrong !== undefined) return left(wrong)
      const aborted = await this.steps(planned.right, values, memory, options)
      if (aborted) return left(problem('aborted', 'run: aborted by its signal'))
      const give = (signal: Signal): Promise<unknown> => this.give(signal, memory, batch, asTensors)
      const features: Record<string, unknown> = {}
      for (const [name, signal] of Object.entries(this.parts.features)) features[name] = await give(signal)
      return right({ output: await give(this.parts.output), features })
    } catch (fault) {
      return left(problem('runFailed', `run: ${this.backend} failed: ${fault instanceof Error ? fault.message : String(fault)}`))
    } finally {
      memory.release()
    }
  }

  private planFor(batch: number): Either<Problem, Plan<unknown>> {
    const known = this.plans.get(batch)
    if (known !== undefined) return right(known)
    const made = plan<unknown>(this.parts.device, this.parts.each, this.parts.held, batch)
    if (made._tag === 'Right') this.plans.set(batch, made.right)
    return made
  }

  /** Whether it was aborted. */
  private async steps({ steps, batch }: Plan<unknown>, given: ReadonlyMap<Tensor, Values>, memory: Memory<unknown>, { signal, seed = 0, step: at = 0 }: RunOptions): Promise<boolean> {
    const { device, adapted } = this.parts
    let resumed = performance.now()
    for (const { node, kernel, frees } of steps) {
      if (signal !== undefined && performance.now() - resumed > turn) {
        await new Promise<void>(resolve => setTimeout(resolve, 0))
        resumed = performance.now()
      }
      if (signal?.aborted === true) return true
      const shape = [batch, ...node.shape]
      if (isOp(node, 'input')) memory.set(node, device.upload(given.get(node) as Values, shape, node.dtype))
      else if (isOp(node, 'dropMask')) memory.set(node, device.upload(dropMaskValues(node.attributes.stream, seed, at, node.attributes.keep, sizeOf(shape)), shape, 'float32'))
      else memory.run(node, kernel, adapted.get(node))
      memory.free(frees)
    }
    return signal?.aborted === true
  }

  private async give(signal: Signal, memory: Memory<unknown>, batch: number, asTensors: boolean): Promise<unknown> {
    if (!isTensor(signal)) {
      const fields: Record<string, unknown> = {}
      for (const [name, field] of Object.entries(signal)) fields[name] = await this.give(field, memory, batch, asTensors)
      return fields
    }
    const { device } = this.parts
    const values = await device.download(memory.need(signal))
    const whole = signal.batched ? values : repeated(values, batch)
    return asTensors ? toTensor(whole, [batch, ...signal.shape], signal.dtype) : whole
  }
}

const repeated = (values: Values, batch: number): Values => {
  const whole = values instanceof Int32Array ? new Int32Array(values.length * batch) : new Float32Array(values.length * batch)
  for (let i = 0; i < batch; i++) whole.set(values, i * values.length)
  return whole
}

/** A row number that a table does not have; backends would read past the table. */
const outOfRange = (nodes: readonly Tensor[], given: ReadonlyMap<Tensor, Values>): Problem | undefined => {
  for (const node of nodes) {
    const [table, indices] = node.inputs
    const rows = table?.shape[0] as number
    const values = node.op === 'gather' ? given.get(sourceOf(indices!)) : undefined
    const wrong = values?.find(row => row < 0 || row >= rows)
    if (wrong !== undefined) return problem('inputMisfit', `input: ${wrong} is no row of a table of ${rows}`)
  }
  return undefined
}

/** What a node's numbers are taken from, moved about but unchanged. */
const sourceOf = (n: Tensor): Tensor => (n.op === 'reshape' || n.op === 'transpose' || n.op === 'slice' ? sourceOf(n.inputs[0]!) : n)
