/// <reference lib="esnext.disposable" preserve="true" />
import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { isOp, isTensor, type Signal, type Tensor } from '../ops/tensor.js'
import { problem, type Problem } from '../shape/problem.js'
import { sizeOf } from '../shape/shape.js'
import type { Changes } from './changes.js'
import type { Device, Values } from './device.js'
import { dropMaskValues } from './dropMaskValues.js'
import { fitting, type Loaded } from './loadOnce.js'
import { Memory } from './memory.js'
import { planBytes, type PlanBytes } from './planBytes.js'
import { prepareVariant } from './prepareVariant.js'
import type { Prepared, PreparedRoutine, Routine } from './prepare.js'
import { plannedOn, plannedToLook, type Planned } from './planned.js'
import type { Runnable } from './runnable.js'
import { unfit } from './unfit.js'
import { feeds, type Fed } from './values.js'
import { Variant } from './variant.js'

/** Options of a run. */
export interface RunOptions {
  /** Stops the run between two ops; the run then gives an `aborted` problem and frees all it held. */
  readonly signal?: AbortSignal
  /** Seed and step of the random streams of training mode; the same ones give the same masks on every backend. */
  readonly seed?: number
  readonly step?: number
  /** What is run in the place of the session's own routine; see {@link Session.variant}. */
  readonly variant?: Variant
}

/** What a run gave: by name, each a typed array of all samples, or a record of them. */
export type Outputs = Readonly<Record<string, unknown>>

/** Sees each result as it appears, and says whether to stop there. */
type Look = (node: Tensor, buffer: unknown) => Promise<boolean>

/** How long a run that can be aborted computes before it lets other work in, in milliseconds. */
const turn = 20

/**
 * Graphs over parameters that live on a device. Calls are queued and run one after the other; each frees what it
 * made. `dispose` frees the parameters.
 */
export class Session<K extends string> implements Disposable {
  private readonly runnables: ReadonlyMap<string, Runnable>
  private queue: Promise<unknown> = Promise.resolve()
  private state: 'open' | 'disposed' | 'lost' = 'open'

  constructor(private readonly device: Device, private readonly prepared: Prepared, private readonly loaded: Loaded<unknown>) {
    this.runnables = new Map([...prepared.routines].map(([name, routine]) => [name, { routine, loaded, plans: new Map() }]))
  }

  /** The backend it runs on. */
  get backend(): string {
    return this.device.name
  }

  /** How the backend runs less well here than it could, if it does. */
  get notice(): Problem | undefined {
    return this.device.notice
  }

  /** The names of its parameters. */
  get parameters(): readonly string[] {
    return this.prepared.parameters.map(p => p.attributes.name)
  }

  /**
   * Runs a routine on a batch: typed arrays holding whole samples one after the other, in the form of its inputs.
   * What it is fed is copied at once.
   *
   * Errors: `inputMisfit`, `aborted`, `notFinite` (a guard is no finite number; nothing was changed), `disposed`,
   * `missingKernels`, `runFailed`, `stateLost` (it failed while parameters were being changed: read a checkpoint).
   */
  run(name: K, input: unknown, options: RunOptions = {}): TaskEither<Problem, Outputs> {
    return () => {
      const fed = feeds((options.variant?.runnable ?? this.runnable(name)).routine.inputs, input)
      return fed._tag === 'Left' ? Promise.resolve(fed) : this.runFed(name, fed.right, options)()
    }
  }

  /** {@link run} on what is matched already. */
  runFed(name: K, fed: Fed, options: RunOptions = {}): TaskEither<Problem, Outputs> {
    return () => this.queued(() => this.execute(name, fed, options))
  }

  /** Values of parameters as they are now, all of them unless some are named. Errors: `noSuchParameter`, `disposed`. */
  read(names?: readonly string[]): TaskEither<Problem, ReadonlyMap<string, Float32Array>> {
    return () =>
      this.queued(async () => {
        const values = new Map<string, Float32Array>()
        for (const name of names ?? [...this.prepared.variables].map(p => p.attributes.name)) {
          const node = this.variable(name)
          if (node === undefined) return left(this.noVariable(name))
          values.set(name, (await this.device.download(this.loaded.memory.need(node))) as Float32Array)
        }
        return right(values)
      })
  }

  /** Gives parameters that change other values. Errors: `noSuchParameter`, `weightMisfit` (nothing is written then), `disposed`. */
  write(values: ReadonlyMap<string, Float32Array>): TaskEither<Problem, void> {
    return () =>
      this.queued(async () => {
        const found: (readonly [Tensor, Float32Array])[] = []
        for (const [name, given] of values) {
          const node = this.variable(name)
          if (node === undefined) return left(this.noVariable(name))
          const fits = fitting(name, node.shape, given)
          if (fits._tag === 'Left') return fits
          found.push([node, fits.right.slice()])
        }
        for (const [node, given] of found) this.replace(node, this.device.upload(given, [1, ...node.shape], 'float32'))
        return right(undefined)
      })
  }

  /** The bytes that a routine holds on the device at a batch size, before it is run: see {@link PlanBytes}. Errors: `missingKernels`. */
  bytes(name: K, batch: number): Either<Problem, PlanBytes> {
    const runnable = this.runnable(name)
    const planned = this.planFor(runnable, batch)
    return planned._tag === 'Left' ? planned : right(planBytes(this.prepared, planned.right, this.loaded.bytes))
  }

  /**
   * Another routine over the same parameters, to be run in the place of one of the session's own: a training step of a
   * part of the model. All its parameters must be variables of this session. It holds constants, and no parameters, until
   * it is disposed of. Errors: `noSuchParameter`, `parameterMisfit`, `missingKernels`, `loadFailed`, `disposed`.
   */
  variant(routine: Routine): TaskEither<Problem, Variant> {
    return () =>
      this.queued(async () => {
        const made = await prepareVariant(this.device, routine, this.prepared.variables, this.loaded.memory)
        if (made._tag === 'Left') return made
        const { loaded } = made.right
        return right(new Variant({ ...made.right, plans: new Map() }, () => (this.queue = this.queue.then(() => this.release(loaded)))))
      })
  }

  /**
   * Computes a routine without changing anything, looking at every result as it appears, and gives the first node
   * that holds something that is no finite number, or nothing. Slow: every result is read back. Errors: those of `run`.
   */
  firstNotFinite(name: K, input: unknown, options: RunOptions = {}): TaskEither<Problem, Tensor | undefined> {
    return () => {
      const fed = feeds(this.runnable(name).routine.inputs, input)
      if (fed._tag === 'Left') return Promise.resolve(fed)
      let found: Tensor | undefined
      const look: Look = async (node, buffer) => {
        if (!allFinite(await this.device.download(buffer))) found = node
        return found !== undefined
      }
      return this.queued(async () => {
        for (const node of this.prepared.variables) if (await look(node, this.loaded.memory.need(node))) return right(found)
        const ran = await this.execute(name, fed.right, options, look)
        return ran._tag === 'Left' && found === undefined ? ran : right(found)
      })
    }
  }

  /** Frees the parameters, once the runs already asked for have ended. Later calls give a `disposed` problem. */
  dispose(): void {
    if (this.state === 'disposed') return
    this.state = 'disposed'
    this.queue = this.queue.then(() => this.release(this.loaded))
  }

  [Symbol.dispose](): void {
    this.dispose()
  }

  private queued<T>(work: () => Promise<Either<Problem, T>>): Promise<Either<Problem, T>> {
    if (this.state === 'disposed') return Promise.resolve(left(problem('disposed', 'run: this program has been disposed of', { remedy: 'compile the model again' })))
    const done = this.queue.then(() => (this.state === 'lost' ? left(problem('stateLost', 'run: an earlier run failed while parameters were being changed', { remedy: 'open a new session from the last checkpoint' })) : work()))
    this.queue = done.catch(() => undefined)
    return done
  }

  private release({ adapted, memory }: Loaded<unknown>): void {
    for (const buffer of new Set(adapted.values())) this.device.free(buffer)
    memory.release()
  }

  private runnable(name: K): Runnable {
    const runnable = this.runnables.get(name)
    if (runnable === undefined) throw new Error(`a session of ${[...this.runnables.keys()].join(', ')} has no routine '${name}'`)
    return runnable
  }

  private variable(name: string): Tensor<'parameter'> | undefined {
    return [...this.prepared.variables].find(p => p.attributes.name === name)
  }

  private noVariable(name: string): Problem {
    return problem('noSuchParameter', `parameters: '${name}' is none that this session may change`, { remedy: 'name it among the variables when the session is opened' })
  }

  private replace(node: Tensor, buffer: unknown): void {
    const { memory } = this.loaded
    const before = memory.take(node)
    if (this.device.assign === undefined) this.device.free(before)
    memory.set(node, this.device.assign?.(before, buffer) ?? buffer)
  }

  /** New values in the places of the old ones. */
  private assign({ assignments, ends }: Changes['together'], memory: Memory<unknown>): void {
    const held = (nodes: readonly Tensor[]): readonly unknown[] => nodes.map(node => memory.need(node))
    for (const { run, groups } of assignments) run(groups.map(({ operands, targets }) => ({ operands: held(operands), targets: held(targets) })))
    memory.free(ends)
  }

  private planFor({ routine, plans }: Runnable, batch: number): Either<Problem, Planned> {
    const known = plans.get(batch)
    if (known !== undefined) return right(known)
    const made = plannedOn(this.device, routine, batch)
    if (made._tag === 'Right') plans.set(batch, made.right)
    return made
  }

  private async execute(name: K, { feeds: given, batch }: Fed, { signal, seed = 0, step: stepCount = 0, variant }: RunOptions, look?: Look): Promise<Either<Problem, Outputs>> {
    const runnable = variant?.runnable ?? this.runnable(name)
    const { routine, loaded } = runnable
    const memory = new Memory<unknown>(this.device, loaded.memory)
    let changing = false
    try {
      const planned = look === undefined ? this.planFor(runnable, batch) : plannedToLook(this.device, routine, batch)
      if (planned._tag === 'Left') return planned
      const { steps, changes } = planned.right
      const values = new Map<Tensor, Values>()
      for (const feed of given) values.set(feed.node, await feed.values)
      const wrong = unfit(routine.each, values, batch)
      if (wrong !== undefined) return left(wrong)
      let outputs: Outputs = {}
      let resumed = performance.now()
      for (let at = 0; at <= steps.length; at++) {
        if (!changing && signal !== undefined && performance.now() - resumed > turn) {
          await new Promise<void>(resolve => setTimeout(resolve, 0))
          resumed = performance.now()
        }
        if (!changing && signal?.aborted === true) return left(problem('aborted', 'run: aborted by its signal'))
        if (at === changes.from) {
          outputs = await this.outputsOf(routine, memory)
          const broken = await this.brokenGuard(routine, memory)
          if (broken !== undefined) return left(broken)
          changing = changes.together.assignments.length > 0
          this.assign(changes.together, memory)
        }
        const due = changes.before.get(at)
        if (due !== undefined) {
          changing = true
          const taken: unknown[] = []
          for (const { value } of due) taken.push((changes.shared.has(value) ? undefined : memory.take(value)) ?? (await this.copyOf(value, memory)))
          due.forEach(({ parameter }, i) => this.replace(parameter, taken[i]))
        }
        const planStep = steps[at]
        if (planStep === undefined) break
        const { node, kernel, frees, spare } = planStep
        if (isOp(node, 'input')) memory.set(node, this.device.upload(values.get(node) as Values, [batch, ...node.shape], node.dtype))
        else if (isOp(node, 'dropMask')) memory.set(node, this.device.upload(dropMaskValues(node.attributes.stream, seed, stepCount, node.attributes.keep, batch * sizeOf(node.shape)), [batch, ...node.shape], 'float32'))
        else if (!isOp(node, 'parameter')) memory.run(node, kernel, loaded.adapted.get(node), spare)
        if (look !== undefined && (await look(node, memory.need(node)))) return right({})
        memory.free(frees)
      }
      return right(outputs)
    } catch (fault) {
      if (changing) this.state = 'lost'
      return left(problem(changing ? 'stateLost' : 'runFailed', `run: ${this.backend} failed${changing ? ' while parameters were being changed' : ''}: ${fault instanceof Error ? fault.message : String(fault)}`))
    } finally {
      memory.release()
    }
  }

  /** A value that a parameter may keep, where others hold it too. */
  private async copyOf(value: Tensor, memory: Memory<unknown>): Promise<unknown> {
    return this.device.upload((await this.device.download(memory.need(value))).slice(), [1, ...value.shape], 'float32')
  }

  private async outputsOf(routine: PreparedRoutine, memory: Memory<unknown>): Promise<Outputs> {
    const outputs: Record<string, unknown> = {}
    for (const [name, signal] of Object.entries(routine.outputs)) outputs[name] = await this.give(signal, memory)
    return outputs
  }

  private async brokenGuard({ guards }: PreparedRoutine, memory: Memory<unknown>): Promise<Problem | undefined> {
    for (const guard of guards) if (!allFinite(await this.device.download(memory.need(guard)))) return problem('notFinite', 'run: a guarded output is no finite number; no parameter has changed')
    return undefined
  }

  private async give(signal: Signal, memory: Memory<unknown>): Promise<unknown> {
    if (isTensor(signal)) return this.device.download(memory.need(signal))
    const fields: Record<string, unknown> = {}
    for (const [name, field] of Object.entries(signal)) fields[name] = await this.give(field, memory)
    return fields
  }
}

const allFinite = (values: Values): boolean => values.every(Number.isFinite)
