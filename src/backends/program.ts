import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { isOp, isTensor, type Signal, type Tensor } from '../ops/tensor.js'
import { problem, type Problem } from '../shape/problem.js'
import { sizeOf } from '../shape/shape.js'
import { dropMaskValues } from './dropMaskValues.js'
import type { Device, Values } from './device.js'
import { Memory } from './memory.js'
import { plan, type Plan } from './plan.js'
import { feeds, isTensorLike, type Feed, type InputOf, type ResultOf } from './values.js'

/** What `compile` hands over. */
export interface ProgramParts<B = unknown> {
  readonly device: Device<B>
  readonly inputs: Signal
  readonly output: Signal
  readonly features: Readonly<Record<string, Signal>>
  readonly each: readonly Tensor[]
  readonly held: ReadonlySet<Tensor>
  readonly weights: Memory<B>
  /** Weights in the form one node's kernel wants. */
  readonly adapted: ReadonlyMap<Tensor, B>
  readonly parameters: readonly string[]
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
const slice = 20

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
   * in front; the result is of the same kind.
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
      const ran = this.queue.then(() => this.execute(input, options))
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

  private async execute(input: unknown, options: RunOptions): Promise<Either<Problem, { output: unknown; features: Record<string, unknown> }>> {
    const matched = feeds(this.parts.inputs, input)
    if (matched._tag === 'Left') return matched
    const { batch } = matched.right
    const planned = this.planFor(batch)
    if (planned._tag === 'Left') return planned
    const wrong = await outOfRange(this.parts.each, matched.right.feeds)
    if (wrong !== undefined) return left(wrong)
    const memory = new Memory<unknown>(this.parts.device, this.parts.weights)
    try {
      const aborted = await this.steps(planned.right, matched.right.feeds, memory, options)
      if (aborted) return left(problem('aborted', 'run: aborted by its signal'))
      const asTensors = matched.right.feeds.some(feed => isTensorLike(feed.given))
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
  private async steps({ steps, batch }: Plan<unknown>, given: readonly Feed[], memory: Memory<unknown>, { signal, seed = 0, step: at = 0 }: RunOptions): Promise<boolean> {
    const { device, adapted } = this.parts
    let resumed = performance.now()
    for (const { node, kernel, frees } of steps) {
      if (signal !== undefined && performance.now() - resumed > slice) {
        await new Promise<void>(resolve => setTimeout(resolve, 0))
        resumed = performance.now()
      }
      if (signal?.aborted === true) return true
      const shape = [batch, ...node.shape]
      if (isOp(node, 'input')) {
        const feed = given.find(f => f.node.attributes.name === node.attributes.name)!.given
        memory.set(node, isTensorLike(feed) ? await device.adopt(feed) : device.upload(feed, shape, node.dtype))
      } else if (isOp(node, 'dropMask')) memory.set(node, device.upload(dropMaskValues(node.attributes.stream, seed, at, node.attributes.keep, sizeOf(shape)), shape, 'float32'))
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
    return asTensors ? device.expose(device.upload(whole, [batch, ...signal.shape], signal.dtype), [batch, ...signal.shape]) : whole
  }
}

const repeated = (values: Values, batch: number): Values => {
  const whole = values instanceof Int32Array ? new Int32Array(values.length * batch) : new Float32Array(values.length * batch)
  for (let i = 0; i < batch; i++) whole.set(values, i * values.length)
  return whole
}

/** A row number that a table does not have; backends would read past the table. */
const outOfRange = async (nodes: readonly Tensor[], given: readonly Feed[]): Promise<Problem | undefined> => {
  for (const node of nodes) {
    const [table, indices] = node.inputs
    const feed = node.op === 'gather' ? given.find(f => indices !== undefined && isOp(indices, 'input') && f.node.attributes.name === indices.attributes.name) : undefined
    if (feed === undefined) continue
    const rows = table!.shape[0] as number
    const values = isTensorLike(feed.given) ? await feed.given.data() : feed.given
    for (let i = 0; i < values.length; i++)
      if (values[i]! < 0 || values[i]! >= rows) return problem('inputMisfit', `input ${feed.node.attributes.name}: ${values[i]} is no row of a table of ${rows}`)
  }
  return undefined
}

