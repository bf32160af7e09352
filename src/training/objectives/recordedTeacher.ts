import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../../shape/problem.js'
import { openSafetensors } from '../../weights/openSafetensors.js'
import type { Safetensors } from '../../weights/safetensors.js'
import type { Teacher } from './teacher.js'

/**
 * A teacher that was recorded (`recordTeacher`, `vitrail teach`): it knows samples by their names, and says of each what it
 * said of it as it was, however it is augmented now. Samples must not be mixed.
 *
 * Errors: those of `openSafetensors`; `notATeacher`. When it is asked: `notRecorded`.
 *
 * @example
 * typeof recordedTeacher('teacher.safetensors') // 'function'
 */
export const recordedTeacher = (path: string): TaskEither<Problem, Teacher & { readonly classes: readonly string[] }> => async () => {
  const opened = await openSafetensors(path)()
  if (opened._tag === 'Left') return opened
  try {
    return await read(path, opened.right)
  } finally {
    await opened.right.close()
  }
}

const read = async (path: string, file: Safetensors): Promise<Either<Problem, Teacher & { readonly classes: readonly string[] }>> => {
  const [names, classes] = [list(file.metadata['names']), list(file.metadata['labels'])]
  const entry = file.tensors.get('logits')
  if (names === undefined || classes === undefined || entry === undefined || entry.shape.length !== 2 || entry.shape[0] !== names.length || entry.shape[1] !== classes.length) return left(problem('notATeacher', `${path}: is no record of a teacher`, { remedy: 'make one with `vitrail teach`' }))
  const values = await file.read('logits')()
  if (values._tag === 'Left') return values
  const logits = Float32Array.from(values.right.data as ArrayLike<number>)
  const numClasses = classes.length
  const { createHash } = await import('node:crypto')
  const digest = createHash('sha256').update(new Uint8Array(logits.buffer)).digest('hex').slice(0, 16)
  const places = new Map(names.map((name, i) => [name, i]))
  return right({
    about: `recorded ${digest}`,
    classes,
    gives: { logits: [numClasses] },
    see: ({ names: asked }) => async () => {
      const said = new Float32Array(asked.length * numClasses)
      for (const [i, name] of asked.entries()) {
        const place = places.get(name)
        if (place === undefined) return left(problem('notRecorded', `${path}: the teacher was not asked about '${name}'`, { path: name, remedy: 'record it again on these data: vitrail teach' }))
        said.set(logits.subarray(place * numClasses, (place + 1) * numClasses), i * numClasses)
      }
      return right({ logits: said })
    },
    bytes: () => right({ parameters: 0, peak: 0 }),
    close: () => {},
  })
}

const list = (text: string | undefined): readonly string[] | undefined => {
  try {
    const value: unknown = JSON.parse(text ?? '')
    return Array.isArray(value) && value.every(each => typeof each === 'string') ? (value as readonly string[]) : undefined
  } catch {
    return undefined
  }
}
