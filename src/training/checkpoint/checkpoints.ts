import { left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../../shape/problem.js'
import { writeSafetensors } from '../../weights/writeSafetensors.js'
import { codeOf } from '../../shape/reasonOf.js'
import type { Checkpoint, KeptTensor } from './checkpoint.js'
import { readCheckpoint } from './readCheckpoint.js'
import { writeCheckpoint } from './writeCheckpoint.js'

/** The files of a training's folder. */
export const files = { last: 'last.safetensors', previous: 'previous.safetensors', best: 'best.safetensors', damaged: 'damaged.safetensors', metrics: 'metrics.jsonl', report: 'report.html' } as const

/** The checkpoint a training goes on from. */
export interface Found {
  readonly file: string
  readonly checkpoint: Checkpoint
  /** The last one, where it could not be used, and why. */
  readonly damaged?: { readonly file: string; readonly problem: Problem }
}

/**
 * Makes a checkpoint the last one; the last one becomes the one before. Killed at any moment, this leaves at least one
 * of the two whole. Errors: those of `writeSafetensors`.
 */
const keep = (folder: string, checkpoint: Checkpoint): TaskEither<Problem, string> => async () => {
  const { rename } = await import('node:fs/promises')
  const { join } = await import('node:path')
  const path = join(folder, files.last)
  await rename(path, join(folder, files.previous)).catch(() => undefined)
  const written = await writeCheckpoint(path, checkpoint)()
  return written._tag === 'Left' ? written : right(path)
}

/** Writes the weights that did best, and nothing else. Errors: those of `writeSafetensors`. */
const keepBest = (folder: string, weights: readonly KeptTensor[], about: Readonly<Record<string, string>>): TaskEither<Problem, string> => async () => {
  const { join } = await import('node:path')
  const path = join(folder, files.best)
  const written = await writeSafetensors(path, weights, about)()
  return written._tag === 'Left' ? written : right(path)
}

/**
 * The newest checkpoint of a folder that is whole: the one before the last only where the last is damaged or is not
 * there, for any other reason may pass. Errors: `nothingToResume` (there is none), `checkpointDamaged` (nor is the one
 * before it whole), `checkpointTooNew`, `notACheckpoint`, `fileUnreadable`.
 */
const latest = (folder: string): TaskEither<Problem, Found> => async () => {
  const { join } = await import('node:path')
  const [last, previous] = [join(folder, files.last), join(folder, files.previous)]
  const newest = await readCheckpoint(last)()
  if (newest._tag === 'Right') return right({ file: last, checkpoint: newest.right })
  const isDamaged = newest.left.code === 'checkpointDamaged'
  if (!isDamaged && !(await isMissing(last))) return newest
  const before = await readCheckpoint(previous)()
  // Killed between the two renames, a training leaves only the one before, which is as it should be.
  if (before._tag === 'Right') return right({ file: previous, checkpoint: before.right, ...(isDamaged ? { damaged: { file: last, problem: newest.left } } : {}) })
  if (isDamaged) return newest
  return (await isMissing(previous)) ? left(problem('nothingToResume', `${folder}: holds no checkpoint to go on from`, { remedy: 'start without resuming' })) : before
}

/** Not so of a file that is there and may not be read. */
const isMissing = async (path: string): Promise<boolean> => {
  const { stat } = await import('node:fs/promises')
  return stat(path).then(() => false, cause => codeOf(cause) === 'ENOENT')
}

/** Removes what writes that were killed have left behind, and sets a damaged checkpoint aside: it must not take the place of the one before. */
const tidy = async (folder: string, damaged?: Found['damaged']): Promise<void> => {
  const { readdir, rename, unlink } = await import('node:fs/promises')
  const { join } = await import('node:path')
  const names = await readdir(folder).catch(() => [])
  for (const name of names.filter(n => /^\.vitrail-[\w-]+\.tmp$/.test(n))) await unlink(join(folder, name)).catch(() => undefined)
  if (damaged !== undefined) await rename(damaged.file, join(folder, files.damaged)).catch(() => undefined)
}

/** The checkpoints of a training's folder: the last two, and the best. */
export const checkpoints = { keep, keepBest, latest, tidy } as const
