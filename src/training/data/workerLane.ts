import { left, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../../shape/problem.js'
import type { Item } from './image.js'
import type { FromWorker, ToWorker } from './imageWorker.js'
import { reasonOf } from '../../shape/reasonOf.js'
import { samplePreparer, type PrepareOptions, type Prepared, type Which } from './samplePreparer.js'

/** A place where samples are prepared, a few at a time. */
export interface Lane {
  readonly run: (which: Which) => Promise<Either<Problem, Prepared>>
  readonly close: () => Promise<void>
}

/** The thread that trains, as a lane: only sharp's decoding is off it. */
export const ownLane = (options: PrepareOptions): Lane => {
  const prepare = samplePreparer(options)
  return { run: which => prepare(which)(), close: async () => {} }
}

/**
 * A worker thread as a lane. It keeps the process alive only while it works or closes. Node only.
 *
 * Errors: those of `samplePreparer`, `workerStopped`.
 */
export const workerLane = async (options: PrepareOptions): Promise<Lane> => {
  const { Worker } = await import('node:worker_threads')
  const workerData = portableOptions(options)
  const worker = import.meta.url.endsWith('.ts') ? new Worker(await fromSource(), { eval: true, workerData }) : new Worker(new URL('./imageWorker.js', import.meta.url), { workerData })
  const waiting = new Map<number, (result: Either<Problem, Prepared>) => void>()
  let given = 0
  let closing = false
  let stopped: Problem | undefined
  const settle = (id: number, result: Either<Problem, Prepared>): void => {
    waiting.get(id)?.(result)
    waiting.delete(id)
    // Somebody waits for the end of a lane that closes: let go of before it, the process would end with that promise open.
    if (waiting.size === 0 && !closing) worker.unref()
  }
  const stop = (why: string): void => {
    stopped ??= problem('workerStopped', `a thread that decodes images stopped: ${why}`, { remedy: 'workers: 0 decodes on the thread that trains' })
    for (const id of waiting.keys()) settle(id, left(stopped))
  }
  worker.unref()
  worker.on('message', ({ id, result }: FromWorker) => settle(id, result))
  worker.on('error', cause => stop(reasonOf(cause)))
  const ended = new Promise<void>(resolve => worker.once('exit', () => {
    stop('it has ended')
    resolve()
  }))
  return {
    run: which => new Promise(resolve => {
      if (stopped !== undefined) return resolve(left(stopped))
      worker.ref()
      const id = given++
      waiting.set(id, resolve)
      const item = portable(which.item)
      worker.postMessage({ ...which, item, id } satisfies ToWorker, 'pixels' in item.image ? [item.image.pixels.buffer as ArrayBuffer] : [])
    }),
    close: () => {
      closing = true
      worker.ref()
      worker.postMessage('close' satisfies ToWorker)
      return ended
    },
  }
}

/** What a thread needs to know, and nothing else that options may have come with: a function could not be handed over. */
const portableOptions = ({ shape, mean = [0], std = [1], crop = 1, interpolation = 'bicubic', seed, transform, augment }: PrepareOptions): PrepareOptions => {
  // Of a step that code has made, its name and options: its functions are made again there.
  const steps = augment?.map(step => (typeof step === 'string' ? step : { name: step.name, config: step.config ?? {} }))
  const plain = { shape, mean, std, crop, interpolation, seed, ...(steps === undefined ? {} : { augment: steps }) }
  return typeof transform === 'object' ? { ...plain, transform: { ...transform, module: String(transform.module) } } : plain
}

/** An item that can be handed over: a view on a whole set's pixels would be sent with the whole set. */
const portable = (item: Item): Item => {
  const { image } = item
  // Not `slice`, which on Node's Buffers gives another view.
  if ('bytes' in image) return { ...item, image: { bytes: new Uint8Array(image.bytes) } }
  if ('file' in image) return item
  return { ...item, image: { ...image, pixels: image.pixels instanceof Uint8Array ? new Uint8Array(image.pixels) : new Float32Array(image.pixels) } }
}

/** Run from its sources (by a test runner, say), the package has no JavaScript for a thread to start with. */
const fromSource = async (): Promise<string> => {
  const { createRequire } = await import('node:module')
  const jiti = createRequire(import.meta.url).resolve('jiti')
  return `require(${JSON.stringify(jiti)}).createJiti(${JSON.stringify(import.meta.url)}).import('./imageWorker.ts')`
}
