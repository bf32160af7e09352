import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { Backend } from '../../../backends/device.js'
import { OpError } from '../../../ops/opError.js'
import { problem, type Problem } from '../../../shape/problem.js'
import type { Comparison } from '../compare.js'
import { openTrick, type OpenTrick } from './openTrick.js'
import { Misread } from './recorded.js'
import { nearness, type Check } from './trick.js'

/** What replaying a trick gives to print: the form of a verdict. */
export interface TrickVerdict {
  readonly file: string
  readonly system: string
  readonly backend: string
  readonly ok: boolean
  readonly outputs: Readonly<Record<string, Comparison>>
  readonly notCompared: readonly string[]
}

/**
 * Replays a recording of a training trick (a loss, an optimiser, a schedule …) through the public functions on some
 * backends, and gives a verdict, or what went wrong, for each; nothing at all where the file is a recording of a model.
 * Errors: those of `openTrick` (once, for the first backend); `notARecording`, `nothingToCompare`, `noFixture`; those of sessions.
 *
 * @param tolerance how near what a backend computes must come, instead of the usual
 */
export const replayTrick = async (file: string, backends: readonly Backend[], tolerance: number | undefined): Promise<readonly (readonly [backend: string, verdict: Either<Problem, TrickVerdict>])[] | undefined> => {
  const opened = await openTrick(file)()
  if (opened._tag === 'Left') return [[backends[0]!.name, opened]]
  if (opened.right === undefined) return undefined
  const verdicts: (readonly [string, Either<Problem, TrickVerdict>])[] = []
  for (const backend of backends) verdicts.push([backend.name, await verdictOn(file, opened.right, backend, tolerance)])
  return verdicts
}

const verdictOn = async (file: string, { name, trick, recorded }: OpenTrick, backend: Backend, tolerance: number | undefined): Promise<Either<Problem, TrickVerdict>> => {
  try {
    const replayed = await trick.replay(recorded, backend, file)()
    if (replayed._tag === 'Left') return replayed
    const { checks } = replayed.right
    const outputs = Object.fromEntries(Object.entries(checks).map(([key, check]) => [key, compared(check, tolerance)]))
    if (Object.keys(outputs).length === 0) return left(problem('nothingToCompare', `${file}: holds nothing to compare`))
    return right({ file, system: name, backend: backend.name, ok: Object.values(outputs).every(({ ok }) => ok), outputs, notCompared: recorded.unread })
  } catch (fault) {
    if (fault instanceof Misread || fault instanceof OpError) return left(problem('notARecording', `${file}: ${fault.message}`))
    throw fault
  }
}

const compared = ({ ours, recorded, near }: Check, tolerance: number | undefined): Comparison => {
  if (ours.length !== recorded.length) return { maxAbs: null, maxRel: null, ok: false, problem: `there are ${recorded.length} numbers in the recording and ${ours.length} here` }
  const largest = Array.from(recorded).reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  const maxAbs = Array.from(recorded).reduce((most, x, i) => Math.max(most, Math.abs(x - ours[i]!)), 0)
  if (!Number.isFinite(maxAbs)) return { maxAbs: null, maxRel: null, ok: false, problem: 'there are values that are not finite' }
  const allowed = near === 'exact' || near === 'double' ? nearness[near] : (tolerance ?? nearness[near])
  return { maxAbs, maxRel: largest === 0 ? maxAbs : maxAbs / largest, ok: maxAbs <= allowed * (largest === 0 ? 1 : largest) }
}
