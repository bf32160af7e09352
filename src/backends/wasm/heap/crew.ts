import { sharedKernels, type NativeKernels } from '../kernels/native.js'
import { startWorker, type Stop } from './startWorker.js'
import { at, type WorkerData } from './worker.js'

/** Below so much work, waking somebody takes longer than doing it; a share is at least so large. */
const LEAST_NANOSECONDS = 20_000
/** Shares a thread may get, so that one that was held up leaves its work to others. */
const SHARES = 4
/**
 * Looks at shared memory before a thread sleeps, some 50 microseconds: longer than most of what lies between two jobs of a
 * model. (Measured: with a tenth of it, products of a millisecond gain 1.5 from a second thread instead of 1.9.)
 */
const PATIENCE = 50_000

/** A kernel as threads call it: its operands, then its share. */
export type SharedFunction = (...args: readonly number[]) => void

/** How a crew is made up. */
export interface CrewOptions {
  /** Threads, the calling one included. */
  readonly threads: number
  /** The least work that is shared out. */
  readonly leastNanoseconds?: number
}

/** The kernels that a crew runs. */
export interface CrewParts {
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
  readonly native: NativeKernels
}

/**
 * Threads that run kernels on one shared memory, the calling one among them. A job is a kernel, its operands and a number of
 * units; each thread takes a few units at a time until there are none. The calling thread never waits for one to begin, only
 * for those that have begun: a crew whose workers are slow, or never start, is a crew of one.
 */
export class Crew {
  private readonly control = new SharedArrayBuffer(at.end)
  private readonly state = new Int32Array(this.control, 0, at.operands / 4)
  private readonly operands = new Float64Array(this.control, at.operands)
  private readonly table: SharedFunction[]
  private readonly canSleep = mayWait()
  private stops: readonly Stop[] | undefined
  /** The calling thread and its workers, which start when there is work for them. */
  readonly size: number
  private readonly least: number
  private readonly start: () => readonly Stop[]

  constructor({ module, memory, native }: CrewParts, { threads, leastNanoseconds = LEAST_NANOSECONDS }: CrewOptions) {
    this.size = threads
    this.least = leastNanoseconds
    this.table = sharedKernels.map(name => native[name] as SharedFunction)
    const given: Omit<WorkerData, 'thread'> = { module, memory, control: this.control, at, kernels: sharedKernels, patience: PATIENCE }
    this.start = () => Array.from({ length: threads - 1 }, (_, i) => startWorker({ ...given, thread: i + 1 }))
  }

  /** How many workers have started. */
  get ready(): number {
    return Atomics.load(this.state, at.ready)
  }

  /** The number of a kernel that is none of the module's: where its own module is, and its size, are its first two operands. */
  add(kernel: SharedFunction): number {
    return this.table.push(kernel) - 1
  }

  /** Runs a kernel over all its units, or returns false where it is not worth sharing. Each thread has `bytesPerThread` of scratch. */
  run(kernel: number, units: number, nanoseconds: number, given: readonly number[], scratch: number, bytesPerThread: number): boolean {
    const { state } = this
    if (nanoseconds < this.least) return false
    this.stops ??= this.start()
    if (this.ready === 0) return false
    const shares = Math.min(units, this.size * SHARES, this.least === 0 ? units : Math.ceil((2 * nanoseconds) / this.least))
    if (shares < 2) return false
    const share = Math.floor(units / shares)
    // Even, so that two threads do not write to one cache line of every row: a panel of a product is half a line wide.
    const grain = share > 1 ? share - (share % 2) : 1
    this.operands[0] = scratch
    this.operands[1] = bytesPerThread
    this.operands.set(given, 2)
    state[at.kernel] = kernel
    state[at.operandCount] = given.length
    state[at.units] = units
    state[at.grain] = grain
    state[at.next] = 0
    state[at.failed] = 0
    Atomics.store(state, at.open, 1)
    Atomics.add(state, at.epoch, 1)
    if (Atomics.load(state, at.sleeping) > 0) Atomics.notify(state, at.epoch, shares - 1)
    const run = this.table[kernel]!
    try {
      for (let begin = Atomics.add(state, at.next, grain); begin < units; begin = Atomics.add(state, at.next, grain)) run(...given, scratch, begin, Math.min(units, begin + grain))
    } finally {
      Atomics.store(state, at.open, 0)
      this.join()
    }
    if (Atomics.load(state, at.failed) === 1) throw new Error(`${sharedKernels[kernel] ?? 'an assignment'} failed on a thread`)
    return true
  }

  /** Ends the workers; from then on the calling thread does everything. */
  async close(): Promise<void> {
    const { stops = [], state } = this
    this.stops = []
    Atomics.store(state, at.stopped, 1)
    Atomics.store(state, at.ready, 0)
    Atomics.add(state, at.epoch, 1)
    Atomics.notify(state, at.epoch)
    await Promise.all(stops.map(stop => stop()))
  }

  /** Waits for the workers that have begun: a little awake, then asleep, where this thread may sleep. */
  private join(): void {
    const { state } = this
    for (let looks = 0; Atomics.load(state, at.active) !== 0; looks++) {
      if (looks < PATIENCE || !this.canSleep) continue
      Atomics.store(state, at.waiting, 1)
      const active = Atomics.load(state, at.active)
      if (active !== 0) Atomics.wait(state, at.active, active)
      Atomics.store(state, at.waiting, 0)
    }
  }
}

/** Whether this thread may sleep; that of a web page may not. */
const mayWait = (): boolean => {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 1)
    return true
  } catch {
    return false
  }
}
