import { parentPort, workerData } from 'node:worker_threads'
import type { Either } from 'fp-ts/lib/Either.js'
import type { Problem } from '../../shape/problem.js'
import { samplePreparer, type PrepareOptions, type Prepared, type Which } from './samplePreparer.js'

/** What this thread is told: a sample to prepare, or to end. */
export type ToWorker = (Which & { readonly id: number }) | 'close'

/** What it answers. */
export interface FromWorker {
  readonly id: number
  readonly result: Either<Problem, Prepared>
}

// What a worker thread runs: `workerLane` starts it, and nothing imports more than its types.
const prepare = samplePreparer(workerData as PrepareOptions)
const port = parentPort!

const answer = async ({ id, ...which }: Exclude<ToWorker, 'close'>): Promise<void> => {
  const result = await prepare(which)()
  port.postMessage({ id, result } satisfies FromWorker, result._tag === 'Right' ? [result.right.values.buffer as ArrayBuffer] : [])
}

port.on('message', (message: ToWorker) => {
  // The thread ends once what it has begun is done; ending it by force would tear sharp's own threads down at work.
  if (message === 'close') port.close()
  else void answer(message)
})
