import { left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../../shape/problem.js'
import { writeSafetensors } from '../../weights/writeSafetensors.js'
import type { BatchOptions } from '../data/batch.js'
import { batches } from '../data/batches.js'
import type { Dataset } from '../data/dataset.js'
import { largest } from '../evaluate/tally.js'
import type { Teacher } from './teacher.js'

/** What a teacher is asked about, and how. */
export interface RecordOptions extends Pick<BatchOptions, 'mean' | 'std' | 'crop' | 'interpolation' | 'workers' | 'prefetch' | 'batchSize'> {
  readonly samples: Dataset
  readonly signal?: AbortSignal
  /** Told after each batch how many samples are done. */
  readonly onBatch?: (done: number) => void
}

/** What was recorded. */
export interface Recorded {
  readonly samples: number
  /** The share of the samples whose label the teacher says. */
  readonly accuracy: number
}

/**
 * Asks a teacher about every sample as it is, and writes down what it says, for `recordedTeacher`. Node only.
 *
 * Errors: those of `batches`, the teacher and `writeSafetensors`; `teacherMisfit`, `namesTwice`.
 *
 * @example
 * typeof recordTeacher // 'function'
 */
export const recordTeacher = (path: string, teacher: Teacher, { samples, batchSize, signal, onBatch, ...preparation }: RecordOptions): TaskEither<Problem, Recorded> => async () => {
  const { mean = [0], std = [1] } = preparation
  const numClasses = teacher.gives.logits[0] as number
  if (teacher.image === undefined || numClasses !== samples.classes.length) return left(problem('teacherMisfit', teacher.image === undefined ? 'teach: a record cannot be recorded' : `teach: the teacher tells ${numClasses} classes apart, but ${samples.name} has ${samples.classes.length}`, { remedy: 'take a teacher of these classes' }))
  const source = batches(samples, { ...preparation, batchSize, shape: teacher.image as unknown as BatchOptions['shape'], shuffle: false })
  if (source._tag === 'Left') return source
  const [names, logits]: [string[], Float32Array[]] = [[], []]
  let hits = 0
  try {
    for await (const batch of source.right.epoch(0, signal === undefined ? {} : { signal })) {
      if (batch._tag === 'Left') return batch
      const { images, labels } = batch.right
      const said = await teacher.see({ images, names: batch.right.names, mean, std })()
      if (said._tag === 'Left') return said
      names.push(...batch.right.names)
      logits.push(said.right.logits)
      hits += labels.reduce((sum, label, i) => sum + Number(largest(said.right.logits.subarray(i * numClasses, (i + 1) * numClasses)) === label), 0)
      onBatch?.(names.length)
    }
  } finally {
    await source.right.close()
  }
  const seen = new Set<string>()
  const twice = names.find(name => seen.size === seen.add(name).size)
  if (twice !== undefined) return left(problem('namesTwice', `teach: two samples are called '${twice}', and could not be told apart`, { path: twice }))
  const all = new Float32Array(names.length * numClasses)
  logits.reduce((at, each) => (all.set(each, at), at + each.length), 0)
  const written = await writeSafetensors(path, [{ name: 'logits', shape: [names.length, numClasses], data: all }], { names: JSON.stringify(names), labels: JSON.stringify(samples.classes), teacher: teacher.about })()
  return written._tag === 'Left' ? written : right({ samples: names.length, accuracy: hits / names.length })
}
