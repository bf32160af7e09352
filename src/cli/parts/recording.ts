import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { replicas, type Replica } from '../../../recipes/index.js'
import type { Graph } from '../../graph/graph.js'
import type { Mode } from '../../layers/core/layer.js'
import { trace } from '../../graph/trace.js'
import { problem, type Problem } from '../../shape/problem.js'
import { openSafetensors } from '../../weights/openSafetensors.js'
import type { Safetensors } from '../../weights/safetensors.js'
import { nearest } from '../../shape/nearest.js'
import { readJson } from './readJson.js'

/** A run of a reference implementation, stored: its weights, inputs (`@in/…`), outputs (`@out/…`), inner outputs (`@feat/…`). */
export interface Recording {
  /** Its file's name without `.safetensors`. */
  readonly name: string
  readonly system: string
  readonly replica: Replica
  readonly graph: Graph
  /** Recordings of a training step were made with batch statistics. */
  readonly mode: Mode
  /** What was recorded. */
  readonly recorded: Safetensors
  /** Where weights and inputs are: the same file, or for gradients the one beside it. */
  readonly source: Safetensors
  readonly close: () => Promise<void>
}

/**
 * Opens a recording and builds the model it was made by. Errors: those of `openSafetensors`;
 * `notARecording`, `unknownSystem`, `weightsElsewhere`; those of the family's keywords and of `trace`.
 */
export const openRecording = (file: string): TaskEither<Problem, Recording> => async () => {
  const recorded = await openSafetensors(file)()
  if (recorded._tag === 'Left') return recorded
  const source = await sourceOf(file, recorded.right)
  const close = async (): Promise<void> => {
    await recorded.right.close()
    if (source._tag === 'Right') await source.right.close()
  }
  const built = source._tag === 'Left' ? source : build(file, recorded.right)
  if (built._tag === 'Right' && source._tag === 'Right') return right({ ...built.right, name: basename(file).replace(/\.safetensors$/, ''), recorded: recorded.right, source: source.right, close })
  await close()
  return built as Either<Problem, never>
}

const sourceOf = async (file: string, recorded: Safetensors): Promise<Either<Problem, Safetensors>> => {
  if ([...recorded.tensors.keys()].some(key => !key.startsWith('@'))) return right(recorded)
  const beside = file.replace(/\.grad(_\w+)?(?=\.safetensors$)/, '')
  if (beside === file) return left(problem('weightsElsewhere', `${file}: holds no weights`))
  return existsSync(beside) ? openSafetensors(beside)() : left(problem('weightsElsewhere', `${file}: holds no weights, and ${basename(beside)} is not beside it`))
}

const build = (file: string, { metadata, tensors }: Safetensors): Either<Problem, Pick<Recording, 'system' | 'replica' | 'graph' | 'mode'>> => {
  const { system, config: text } = metadata
  const mode: Mode = [...tensors.keys()].some(key => key.startsWith('@after/')) ? 'training' : 'inference'
  if (system === undefined || text === undefined) return left(problem('notARecording', `${file}: is no recording: its metadata have no ${system === undefined ? 'system' : 'config'}`))
  if (!Object.hasOwn(replicas, system)) {
    const near = nearest(system, Object.keys(replicas))
    return left(problem('unknownSystem', `${file}: was made by the unknown system '${system}'`, { remedy: near === undefined ? `known are ${Object.keys(replicas).join(', ')}` : `did you mean '${near}'?` }))
  }
  const config = readJson.object(text, `${file}: the config in its metadata`)
  if (config._tag === 'Left') return config
  const replica = replicas[system as keyof typeof replicas](config.right)
  if (replica._tag === 'Left') return left({ ...replica.left, sentence: `${file}: ${replica.left.sentence}` })
  const graph = trace(replica.right.model, { mode })
  if (graph._tag === 'Left') return left({ ...graph.left, sentence: `${file}: ${graph.left.sentence}` })
  return right({ system, replica: replica.right, graph: graph.right, mode })
}
