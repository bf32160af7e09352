import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { KernelBackend } from '@tensorflow/tfjs-core'
import { problem, type Problem } from '../../shape/problem.js'
import type { Backend, Device } from '../device.js'
import { tfjsDevice, type Tfjs } from './device.js'
import type { Lowerings } from './lowering.js'
import { lowerings as shared } from './lowerings.js'

/** How one tfjs backend is found and started. */
export interface TfjsBackendParts {
  /** Our name for it. */
  readonly name: string
  /** tfjs's name for it. */
  readonly registeredAs: string
  /** The package that brings it, for the sentence that says it is absent; undefined where the user imports it. */
  readonly packageName?: string
  /** Imports that package. Written out where the backend is declared, so that bundlers see it. */
  readonly load?: () => Promise<unknown>
  /** Those that all tfjs backends share, unless given. */
  readonly lowerings?: Lowerings
  /** Done once it is ready: registers kernels of our own. What it gives is the device's notice. */
  readonly prepare?: (backend: KernelBackend, tf: Tfjs) => Promise<Problem | undefined>
}

/**
 * A backend that tfjs runs. Opening it loads its package and leaves the active backend of the program as it was.
 * Errors: `backendAbsent`, with what to do about it; `backendBroken`.
 */
export const openTfjs = (parts: TfjsBackendParts): Backend => {
  let opened: Promise<Either<Problem, Device>> | undefined
  const open: TaskEither<Problem, Device> = async () => {
    const result = await (opened ??= inTurn(() => start(parts)))
    // A failure is not kept: the package may be installed, or the paths set, before the next try.
    if (result._tag === 'Left') opened = undefined
    return result
  }
  return { name: parts.name, open }
}

/** tfjs starts one backend at a time: choosing another cancels one that is still starting. */
let starting: Promise<unknown> = Promise.resolve()
const inTurn = <A>(f: () => Promise<A>): Promise<A> => {
  const turn = starting.then(f)
  starting = turn.catch(() => undefined)
  return turn
}

const start = async ({ name, registeredAs, packageName, load, lowerings = shared, prepare }: TfjsBackendParts): Promise<Either<Problem, Device>> => {
  const core = await attempt(() => import('@tensorflow/tfjs-core'))
  if (core._tag === 'Left') return left(absent(name, '@tensorflow/tfjs-core', core.left))
  const tf: Tfjs = core.right
  const loaded = await attempt(async () => load?.())
  if (loaded._tag === 'Left') return left(absent(name, packageName ?? name, loaded.left))
  if (tf.findBackendFactory(registeredAs) === null) return left(unregistered(name, registeredAs, tf))
  const before = tf.getBackend() as string | undefined
  const started = await attempt(() => tf.setBackend(registeredAs))
  if (started._tag === 'Left' || !started.right) return left(problem('backendBroken', `${name}: ${packageName ?? `the tfjs backend '${registeredAs}'`} is there but does not start${started._tag === 'Left' ? `: ${started.left}` : ''}`, { remedy: '`vitrail backends` lists those that work in Node; `wasm` runs in any browser' }))
  const prepared = await attempt(async () => prepare?.(tf.engine().findBackend(registeredAs), tf))
  if (before !== undefined && before !== registeredAs) await attempt(() => tf.setBackend(before))
  if (prepared._tag === 'Left') return left(problem('backendBroken', `${name}: its kernels do not load: ${prepared.left}`))
  return right(tfjsDevice(name, tf, registeredAs, lowerings, prepared.right) as Device)
}

const attempt = async <A>(f: () => Promise<A>): Promise<Either<string, A>> => {
  try {
    return right(await f())
  } catch (fault) {
    return left(firstLine(fault instanceof Error ? fault.message : String(fault)))
  }
}
const firstLine = (text: string): string => text.split('\n')[0] as string

const absent = (name: string, packageName: string, why: string): Problem =>
  problem('backendAbsent', `${name}: ${packageName} cannot be loaded (${why})`, { remedy: `npm install ${packageName}` })

const unregistered = (name: string, registeredAs: string, tf: Tfjs): Problem => {
  const there = Object.keys(tf.engine().registryFactory)
  return problem('backendAbsent', `${name.trim() === '' ? 'tfjsBackend' : name}: tfjs has no backend called '${registeredAs}'; it has ${there.length === 0 ? 'none' : there.map(known => `'${known}'`).join(', ')}`, {
    expected: registeredAs,
    actual: there.join(', '),
    remedy: name.trim() === '' ? "give the name that the backend's package registers, such as 'webgl'" : `import the package that registers it first: import '@tensorflow/tfjs-backend-${registeredAs}'`,
  })
}
