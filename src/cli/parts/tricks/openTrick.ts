import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../../../shape/problem.js'
import { openSafetensors } from '../../../weights/openSafetensors.js'
import { readJson, type JsonObject } from '../readJson.js'
import { Recorded } from './recorded.js'
import type { Trick } from './trick.js'
import { tricks } from './tricks.js'

/** A recording of a trick, and how to replay it. */
export interface OpenTrick {
  /** What kind it is, for people. */
  readonly name: string
  readonly trick: Trick
  readonly recorded: Recorded
}

/**
 * Reads a recording of a training trick, whose kind is known by its fields; nothing where it is one of a model. Errors:
 * those of `readJson`; `notSupported` for JSON of no known kind.
 */
export const openTrick = (file: string): TaskEither<Problem, OpenTrick | undefined> => async () => {
  const read = file.endsWith('.json') ? await readJson.file(file)() : await fromSafetensors(file)
  if (read._tag === 'Left') return read
  if (read.right === undefined) return right(undefined)
  const recorded = new Recorded(read.right)
  const found = Object.entries(tricks).find(([, { fields }]) => fields.every(field => (field.startsWith('*.') ? recorded.objectsWith(field.slice(2)).length > 0 : recorded.has(field))))
  return found === undefined ? left(problem('notSupported', `${file}: recordings of this kind are not supported yet, and nothing was compared`)) : right({ name: found[0], trick: found[1], recorded })
}

/** Tensors by name as JSON has them, with the metadata beside them; nothing for a model, or for what cannot be read. */
const fromSafetensors = async (file: string): Promise<Either<Problem, JsonObject | undefined>> => {
  const opened = await openSafetensors(file)()
  if (opened._tag === 'Left') return right(undefined)
  const { metadata, tensors, read, close } = opened.right
  const isTrick = metadata['system'] === undefined && metadata['cases'] !== undefined
  const cases = isTrick ? readJson.object(metadata['cases']!, `${file}: the cases in its metadata`) : right({})
  const fields: Record<string, unknown> = {}
  for (const name of isTrick ? tensors.keys() : []) {
    const tensor = await read(name)()
    if (tensor._tag === 'Right') fields[name] = { shape: tensor.right.shape, data: [...tensor.right.data] }
  }
  await close()
  return !isTrick ? right(undefined) : cases._tag === 'Left' ? cases : right({ ...fields, cases: cases.right })
}
