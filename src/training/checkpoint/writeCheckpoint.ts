import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Problem } from '../../shape/problem.js'
import { writeSafetensors } from '../../weights/writeSafetensors.js'
import { checkpointVersion, type Checkpoint } from './checkpoint.js'
import { digestOf } from './digest.js'

/**
 * Writes a checkpoint as one safetensors file, which appears whole or not at all and says its own SHA-256. The bytes
 * depend on what is in it alone: no time, no path. Node only.
 *
 * Errors: those of `writeSafetensors`.
 *
 * @example
 * typeof writeCheckpoint('last.safetensors', { weights: [], state: [], progress: { step: 0, isDue: false, sums: { loss: 0, correct: 0, samples: 0 }, waited: 0 }, config: {}, about: {} }) // 'function'
 */
export const writeCheckpoint = (path: string, { weights, state, progress, config, about }: Checkpoint): TaskEither<Problem, void> => async () => {
  const tensors = [...weights, ...state]
  const metadata = { ...about, vitrail: `checkpoint/${checkpointVersion}`, training: JSON.stringify({ config, progress }) }
  const digest = await digestOf(tensors, metadata)
  return digest._tag === 'Left' ? digest : writeSafetensors(path, tensors, { ...metadata, sha256: digest.right })()
}
