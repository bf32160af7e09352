import { resolve } from 'node:path'
import { left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../../../shape/problem.js'
import type { DistantTeacher } from '../../../training/config/defineTraining.js'
import { digestOfFile } from '../../../training/checkpoint/digest.js'
import { openTeacher } from '../../../training/objectives/openTeacher.js'
import { recordedTeacher } from '../../../training/objectives/recordedTeacher.js'
import type { Teacher } from '../../../training/objectives/teacher.js'
import { openSafetensors } from '../../../weights/openSafetensors.js'
import { backends } from '../backends.js'
import { checkpoint } from '../checkpoint.js'
import { preprocessingOf } from '../preprocessingOf.js'
import { otherClasses } from './otherClasses.js'
import { subjectOf } from './subjectOf.js'

/** A teacher that is open, and what a person may want to know of it. */
export interface OpenedTeacher {
  readonly teacher: Teacher
  readonly remarks: readonly string[]
}

/**
 * Opens the teacher that a configuration names. Paths begin at `folder`.
 *
 * Errors: `badOption`, `noWeights`; those of `recordedTeacher`, `subjectOf`, `backends.find`, `openSafetensors`, `checkpoint` and `openTeacher`.
 *
 * @param classes those of the data, which the teacher should know by the same numbers
 */
export const teacherOf = ({ model, weights, backend: name = 'wasm', tokens, recorded }: DistantTeacher, folder: string, classes: readonly string[]): TaskEither<Problem, OpenedTeacher> => async () => {
  if (recorded !== undefined) {
    const read = await recordedTeacher(resolve(folder, recorded))()
    return read._tag === 'Left' ? read : right({ teacher: read.right, remarks: otherClasses(recorded, JSON.stringify(read.right.classes), classes) })
  }
  if (model === undefined) return left(problem('badOption', "config: objective.config.teacher needs 'model' or 'recorded'", { path: 'objective.config.teacher.model', remedy: '{ "model": …, "weights": … }, or what `vitrail teach` wrote: { "recorded": … }' }))
  const subject = await subjectOf(model, folder)
  if (subject._tag === 'Left') return subject
  const { id, preprocessing, weights: own } = subject.right
  const file = weights === undefined ? own : resolve(folder, weights)
  if (file === undefined) return left(problem('noWeights', `teacher: ${id} comes without weights`, { path: 'objective.config.teacher', remedy: 'name its weights: teacher: { model, weights }' }))
  const backend = await backends.find(name)()
  if (backend._tag === 'Left') return backend
  const opened = await openSafetensors(file)()
  if (opened._tag === 'Left') return left({ ...opened.left, sentence: `teacher: ${opened.left.sentence}` })
  try {
    const loaded = checkpoint(opened.right, subject.right.model)
    if (loaded._tag === 'Left') return loaded
    const { metadata } = opened.right
    const { mean, std } = preprocessingOf(preprocessing, metadata)
    const teacher = await openTeacher(subject.right.model as never, { backend: backend.right, weights: loaded.right, about: (await digestOfFile(file, '-')).slice(0, 16), mean, std, ...(tokens === undefined ? {} : { tokens }) })()
    return teacher._tag === 'Left' ? teacher : right({ teacher: teacher.right, remarks: otherClasses(file, metadata['labels'], classes) })
  } finally {
    await opened.right.close()
  }
}
