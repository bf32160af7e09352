import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../../shape/problem.js'
import { openSafetensors } from '../../weights/openSafetensors.js'
import type { Safetensors } from '../../weights/safetensors.js'
import { codeOf, reasonOf } from '../../shape/reasonOf.js'
import { checkpointVersion, type Checkpoint, type KeptTensor } from './checkpoint.js'
import { digestOfFile } from './digest.js'
import type { Progress } from './progress.js'

/**
 * Reads a checkpoint and checks its digest first. Node only.
 *
 * Errors: `fileUnreadable`; `notACheckpoint` (weights and nothing else); `checkpointTooNew`; `checkpointDamaged` (it is
 * torn, or a byte of it is not what was written).
 *
 * @example
 * typeof readCheckpoint('last.safetensors') // 'function'
 */
export const readCheckpoint = (path: string): TaskEither<Problem, Checkpoint> => async () => {
  const opened = await openSafetensors(path)()
  if (opened._tag === 'Left') return opened.left.code === 'fileUnreadable' ? opened : left(damaged(path, opened.left.sentence))
  try {
    const { sha256, vitrail: format, training } = opened.right.metadata
    if (format === undefined || sha256 === undefined || training === undefined) return left(problem('notACheckpoint', `${path}: holds weights, but nothing that a training could go on from`, { remedy: 'name it as the weights to begin with instead' }))
    const version = /^checkpoint\/(\d+)$/.exec(format)?.[1]
    if (version === undefined || Number(version) > checkpointVersion) return left(problem('checkpointTooNew', `${path}: is of the format ${format}, but this version reads up to checkpoint/${checkpointVersion}`, { remedy: 'update vitrail' }))
    if ((await digestOfFile(path, sha256)) !== sha256) return left(damaged(path, 'its digest is not the one it says'))
    return await contents(path, opened.right, training)
  } catch (cause) {
    // A disk that fails says nothing of what is written there.
    if (/^E[A-Z]+$/.test(codeOf(cause))) return left(problem('fileUnreadable', `${path}: ${reasonOf(cause)}`))
    return left(damaged(path, cause instanceof Error ? cause.message : String(cause)))
  } finally {
    await opened.right.close()
  }
}

const contents = async (path: string, file: Safetensors, training: string): Promise<Either<Problem, Checkpoint>> => {
  const { config, progress } = JSON.parse(training) as { readonly config: Readonly<Record<string, unknown>>; readonly progress: Progress }
  const tensors: KeptTensor[] = []
  for (const name of file.tensors.keys()) {
    const read = await file.read(name)()
    if (read._tag === 'Left') return left(damaged(path, read.left.sentence))
    const { shape, data } = read.right
    if (data instanceof Float32Array) tensors.push({ name, shape, data })
  }
  const isState = ({ name }: KeptTensor): boolean => name.startsWith('@')
  const { sha256: _, vitrail: __, training: ___, ...about } = file.metadata
  return right({ weights: tensors.filter(t => !isState(t)), state: tensors.filter(isState), progress, config, about })
}

const damaged = (path: string, why: string): Problem => problem('checkpointDamaged', `${path}: is damaged: ${why.replace(`${path}: `, '')}`, { remedy: 'use an earlier checkpoint' })
