import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Backend } from '../../backends/device.js'
import { problem, type Problem } from '../../shape/problem.js'
import { messageOf } from './messageOf.js'
import { nearest } from '../../shape/nearest.js'

/** The number of threads of the wasm backend, where the command line says one; and that backend, once it is asked for. */
let threads: number | undefined
let asked: Backend | undefined

// Imported when asked for, so that a command that runs nothing loads no TensorFlow.js.
const table: Readonly<Record<string, () => Promise<Backend>>> = {
  reference: async () => (await import('../../backends/reference/index.js')).reference,
  cpu: async () => (await import('../../backends/cpu/index.js')).cpu,
  wasm: async () => {
    const { wasm, wasmWith } = await import('../../backends/wasm/index.js')
    return threads === undefined ? wasm : (asked ??= wasmWith({ threads }))
  },
  'tfjs-wasm': async () => (await import('../../backends/tfjs-wasm/index.js')).tfjsWasm,
  node: async () => (await import('../../backends/node/index.js')).node,
  'node-gpu': async () => (await import('../../backends/node-gpu/index.js')).nodeGpu,
}

/** How many threads the wasm backend has from now on; its own choice where this is undefined. */
const useThreads = (count: number | undefined): void => {
  threads = count
  asked = undefined
}

/** Finds a backend by its name. Errors: `unknownBackend`, `backendUnavailable` (its code cannot be loaded). */
const find = (name: string): TaskEither<Problem, Backend> => async () => {
  if (!Object.hasOwn(table, name)) {
    const near = nearest(name, backends.names)
    return left(problem('unknownBackend', `there is no backend '${name}'`, { remedy: near === undefined ? `there are: ${backends.names.join(', ')}` : `did you mean '${near}'?` }))
  }
  try {
    return right(await table[name]!())
  } catch (cause) {
    const why = messageOf(cause)
    const missing = /Cannot find package '([^']+)'/.exec(why)?.[1]
    return left(problem('backendUnavailable', `${name}: cannot be loaded: ${why}`, missing === undefined ? {} : { remedy: `npm install ${missing}` }))
  }
}

/** Finds several, all or none. */
const findAll = (names: readonly string[]): TaskEither<Problem, readonly Backend[]> => async () => {
  const found: Backend[] = []
  for (const name of new Set(names)) {
    const backend: Either<Problem, Backend> = await find(name)()
    if (backend._tag === 'Left') return backend
    found.push(backend.right)
  }
  return right(found)
}

/** The backends the command line knows; a program of your own imports the one it wants. */
export const backends = { names: Object.keys(table) as readonly string[], find, findAll, useThreads } as const
