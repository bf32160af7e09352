/** What a worker is given. */
export interface WorkerData {
  readonly module: WebAssembly.Module
  readonly memory: WebAssembly.Memory
  /** The numbers all threads share: first integers, by the places in `at`, then operands. */
  readonly control: SharedArrayBuffer
  readonly at: typeof at
  /** The names of the kernels, by number. */
  readonly kernels: readonly string[]
  /** Which thread it is, from 1. */
  readonly thread: number
  /** How often it looks for work before it sleeps. */
  readonly patience: number
}

/** Where the shared integers stand, and where operands begin, in bytes. */
export const at = {
  /** Counts the jobs; workers sleep on it. */
  epoch: 0,
  /** 1 while shares of the job may be taken. */
  open: 1,
  /** How many workers are at it. */
  active: 2,
  /** The first unit nobody has taken. */
  next: 3,
  units: 4,
  /** How many units are taken at one time. */
  grain: 5,
  kernel: 6,
  operandCount: 7,
  failed: 8,
  sleeping: 9,
  /** 1 while the calling thread sleeps until nobody is active. */
  waiting: 10,
  stopped: 11,
  ready: 12,
  /** Two float64: where the scratch of the threads begins, and how many bytes each has; then the operands. */
  operands: 64,
  end: 64 + 8 * 40,
} as const

/**
 * The whole program of a worker: it waits for jobs and takes shares of them until it is stopped. It is handed over as its own
 * source, so it must use nothing from outside.
 */
export const work = ({ module, memory, control, at, kernels, thread, patience }: WorkerData): void => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  const table = kernels.map(name => exports[name] as (...args: readonly number[]) => void)
  /** A kernel that was made on the way, from its module. What is shared cannot be compiled as it is. */
  const compiled = (from: number, bytes: number): ((...args: readonly number[]) => void) =>
    new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(memory.buffer, from, bytes).slice()), { env: { memory } }).exports.run as (...args: readonly number[]) => void
  const state = new Int32Array(control, 0, at.operands / 4)
  const operands = new Float64Array(control, at.operands)
  const takeShares = (): void => {
    const [units, grain] = [state[at.units]!, state[at.grain]!]
    const given = operands.subarray(2, 2 + state[at.operandCount]!)
    const kernel = (table[state[at.kernel]!] ??= compiled(given[0]!, given[1]!))
    const scratch = operands[0]! + thread * operands[1]!
    for (let begin = Atomics.add(state, at.next, grain); begin < units; begin = Atomics.add(state, at.next, grain)) kernel(...given, scratch, begin, Math.min(units, begin + grain))
  }
  let seen = 0
  Atomics.add(state, at.ready, 1)
  for (;;) {
    for (let looks = 0; looks < patience && Atomics.load(state, at.epoch) === seen; looks++);
    if (Atomics.load(state, at.epoch) === seen) {
      // Whoever opens a job after this has counted sees that somebody sleeps; who did before has changed the epoch.
      Atomics.add(state, at.sleeping, 1)
      Atomics.wait(state, at.epoch, seen)
      Atomics.sub(state, at.sleeping, 1)
    }
    if (Atomics.load(state, at.stopped) === 1) return
    seen = Atomics.load(state, at.epoch)
    Atomics.add(state, at.active, 1)
    // A job that is closed is not looked at: the calling thread may be writing the next one.
    if (Atomics.load(state, at.open) === 1) {
      try {
        takeShares()
      } catch {
        Atomics.store(state, at.failed, 1)
      }
    }
    if (Atomics.sub(state, at.active, 1) === 1 && Atomics.load(state, at.waiting) === 1) Atomics.notify(state, at.active)
  }
}
