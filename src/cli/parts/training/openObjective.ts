import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Problem } from '../../../shape/problem.js'
import type { DistantTeacher, TrainingConfig } from '../../../training/config/defineTraining.js'
import type { Named } from '../../../training/loop/trainOptions.js'
import type { Objective } from '../../../training/objectives/objective.js'
import { objectiveOf } from '../../../training/objectives/objectiveOf.js'
import { byteTokenizer } from '../../../training/text/byteTokenizer.js'
import { hubTokenizer } from '../../../training/text/hubTokenizer.js'
import type { Tokenizer } from '../../../training/text/tokenizer.js'
import { problem } from '../../../shape/problem.js'
import { messageOf } from '../messageOf.js'
import { readJson } from '../readJson.js'
import { teacherOf } from './teacherOf.js'

/** An objective, and what it holds open. */
export interface OpenedObjective {
  /** Nothing where the configuration does not say. */
  readonly objective?: Objective
  readonly remarks: readonly string[]
  readonly close: () => void
}

/**
 * The objective that a configuration names, with the teacher or tokenizer it speaks of. Paths begin at `folder`. Errors:
 * those of `teacherOf`, `hubTokenizer` and `objectiveOf`; `fileUnreadable`, `notJson`.
 */
export const openObjective = (given: TrainingConfig['objective'], folder: string, classes: readonly string[]): TaskEither<Problem, OpenedObjective> => async () => {
  if (given === undefined) return right({ remarks: [], close: () => {} })
  if ('aim' in given) return right({ objective: given, remarks: [], close: () => {} })
  const { teacher: wanted, tokenizer: named } = (given as Named).config ?? {}
  const tokenizer = typeof named === 'string' ? await tokenizerOf(named, folder)() : undefined
  if (tokenizer?._tag === 'Left') return tokenizer
  const teacher = wanted === undefined ? undefined : await teacherOf(wanted as DistantTeacher, folder, classes)()
  if (teacher?._tag === 'Left') return teacher
  const close = (): void => teacher?.right.teacher.close()
  const objective = objectiveOf(given, { ...(teacher === undefined ? {} : { teacher: teacher.right.teacher }), ...(tokenizer === undefined ? {} : { tokenizer: tokenizer.right }) })
  if (objective._tag === 'Left') close()
  return objective._tag === 'Left' ? objective : right({ objective: objective.right, remarks: teacher?.right.remarks ?? [], close })
}

/** `bytes`, or a `tokenizer.json`. */
const tokenizerOf = (named: string, folder: string): TaskEither<Problem, Tokenizer> => async () => {
  if (named === 'bytes') return right(byteTokenizer)
  const path = resolve(folder, named)
  const text = await readFile(path, 'utf8').catch((cause: unknown) => left(problem('fileUnreadable', `${path}: ${messageOf(cause)}`, { remedy: "a tokenizer is 'bytes', or the path of a tokenizer.json" })))
  if (typeof text !== 'string') return text
  const json = readJson.object(text, path)
  return json._tag === 'Left' ? json : hubTokenizer(json.right)()
}
