import { nodeModule } from './nodeModule.js'
import { work, type WorkerData } from './worker.js'

/** Ends a worker, also one that has not started yet. */
export type Stop = () => Promise<void>

/** The part of Node's worker threads that is used; declared here, because browsers have none. */
interface NodeThreads {
  readonly Worker: new (source: string, options: object) => { on(event: 'error', listener: () => void): void; unref(): void; terminate(): Promise<unknown> }
}

/**
 * Starts a worker of its own, in Node or in a browser. It keeps no process alive, and where it cannot start nothing happens:
 * nobody waits for it.
 */
export const startWorker = (data: WorkerData): Stop => {
  const starting = (isNode() ? inNode(data) : Promise.resolve(inBrowser(data))).catch((): Stop => async () => {})
  return async () => (await starting)()
}

const isNode = (): boolean => typeof process === 'object' && typeof process.versions === 'object' && process.versions.node !== undefined

const inNode = async (data: WorkerData): Promise<Stop> => {
  const { Worker } = await nodeModule<NodeThreads>('node:worker_threads')
  const worker = new Worker(`(${work.toString()})(require('node:worker_threads').workerData)`, { eval: true, workerData: data, execArgv: [] })
  worker.on('error', () => {})
  worker.unref()
  return async () => void (await worker.terminate())
}

const inBrowser = (data: WorkerData): Stop => {
  const url = URL.createObjectURL(new Blob([`onmessage = ({ data }) => (${work.toString()})(data)`], { type: 'text/javascript' }))
  const worker = new Worker(url)
  worker.onerror = event => event.preventDefault()
  worker.postMessage(data)
  return async () => {
    worker.terminate()
    URL.revokeObjectURL(url)
  }
}
