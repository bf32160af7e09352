import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../../shape/problem.js'
import { augmentationsOf } from './augment/augmentationsOf.js'
import type { Batch, Batches, BatchOptions, EpochStart } from './batch.js'
import { byCodePoint } from './byCodePoint.js'
import { checkBatchOptions } from './checkBatchOptions.js'
import { decoders } from './decoders.js'
import type { Dataset, SampleStream } from './dataset.js'
import type { Skipped } from './image.js'
import type { Prepared } from './samplePreparer.js'
import { datasetSlots, streamSlots, type Slot } from './slots.js'
import { stratifiedSplit } from './stratifiedSplit.js'

/**
 * Batches of a dataset or a stream: read, decoded, transformed and resized ahead of the training, in worker threads.
 *
 * A batch depends on the seed, its epoch and its step, and on which files are corrupt: not on threads, timing or
 * where an epoch was begun. A corrupt file is found when it is first decoded, remembered and never tried again. Its
 * place is taken by another sample (or left empty), so that no other sample moves and an epoch has as many steps as ever.
 *
 * Errors: `optionMalformed`, `transformNotPortable`, `splitEmpty`, `streamNotSplit`, `streamNotRepeated`, `batchTooLarge`,
 * `channelsNotAugmented`, those of `augmentationsOf`. Errors on the way: `allCorrupt`, `labelUnknown`, `streamEnded`,
 * `streamFailed`, `aborted`; those of `samplePreparer`, but for the `imageUnreadable` that is skipped; `workerStopped`,
 * `sampleFailed`, and those of the dataset's `item`.
 *
 * @example
 * batches({ name: 'none', classes: ['a'], size: 0, labels: new Int32Array(0), item: () => async () => left(problem('none', 'none')) }, { batchSize: 0, shape: [8, 8, 1] })._tag // 'Left'
 */
export const batches = (source: Dataset | SampleStream, options: BatchOptions): Either<Problem, Batches> => {
  const checked = checkBatchOptions(source, options)
  if (checked !== undefined) return left(checked)
  const { batchSize, seed = 0, dropLast = false, split, transform, prefetch = 2 } = options
  const { shuffle = split?.part !== 'validation', workers = typeof transform === 'function' ? 0 : 1 } = options
  const { corrupt: fate = shuffle ? 'replace' : 'leaveOut' } = options
  const part = 'items' in source ? undefined : split === undefined ? Uint32Array.from(source.labels, (_, i) => i) : stratifiedSplit(source.labels, split.validation, seed)[split.part]
  const size = part?.length ?? source.size
  if (size === 0) return left(problem('splitEmpty', split === undefined ? `${source.name}: holds no samples` : `${source.name}: a validation share of ${split.validation} of ${source.size} samples leaves nothing for ${split.part === 'train' ? 'training' : 'validation'}`, { remedy: 'change the share, or add samples' }))
  if (batchSize > size && (dropLast || shuffle)) return left(problem('batchTooLarge', `${source.name}: a batch of ${batchSize} is more than all ${size} samples`, { remedy: `batchSize: ${size} or less` }))
  const steps = dropLast ? Math.floor(size / batchSize) : Math.ceil(size / batchSize)
  const [height, width, channels] = options.shape
  const valuesEach = height * width * channels
  const decoder = decoders({ ...options, seed }, workers)
  const augmentation = augmentationsOf(options.augment ?? [])
  if (augmentation._tag === 'Left') return augmentation
  const { times } = augmentation.right
  // Of a dataset by index; of a stream, whose samples have no lasting number, by name.
  const corrupt = new Map<number, Skipped>()
  const corruptInStreams = new Map<string, Skipped>()
  let running = 0

  /** The first good candidate; nothing where there is none. */
  const fill = async (slot: Slot, epoch: number, signal: AbortSignal): Promise<Either<Problem, Prepared | undefined>> => {
    for (const { index, time, item } of slot) {
      const prepared = await decoder.prepare({ item, epoch, index, time, signal })
      if (prepared._tag === 'Right') {
        const { label, name } = prepared.right
        const isKnown = Number.isInteger(label) && label >= 0 && label < source.classes.length
        return isKnown ? prepared : left(problem('labelUnknown', `${source.name}: label ${label} is none of the ${source.classes.length} classes`, { path: name }))
      }
      const { code, path: name, sentence: reason } = prepared.left
      if (code !== 'imageUnreadable') return prepared
      if (part === undefined) corruptInStreams.set(name, { name, reason })
      else corrupt.set(index, { name, reason })
      if (corrupt.size === part?.length) return left(noneIsGood())
    }
    return right(undefined)
  }

  let allCorrupt: Problem | undefined
  const noneIsGood = (): Problem => {
    const [first] = allCorrupt === undefined ? skipped() : []
    return (allCorrupt ??= problem('allCorrupt', `${source.name}: not one of ${size} samples can be read`, first === undefined ? {} : { path: first.name, actual: first.reason }))
  }

  const make = async (step: number, epoch: number, slots: Promise<Either<Problem, readonly Slot[]>>, signal: AbortSignal): Promise<Either<Problem, Batch>> => {
    const places = await slots
    if (places._tag === 'Left') return places
    const filled = await Promise.all(places.right.map(slot => fill(slot, epoch, signal)))
    const failed = filled.find(each => each._tag === 'Left')
    if (failed !== undefined) return failed
    const good = filled.flatMap(each => (each._tag === 'Right' && each.right !== undefined ? [each.right] : []))
    const images = new Float32Array(good.length * valuesEach)
    good.forEach(({ values }, i) => images.set(values, i * valuesEach))
    return right({ step, images, labels: Int32Array.from(good, each => each.label), size: good.length, names: good.map(each => each.name) })
  }

  async function* iterate(epoch: number, { from = 0, to = steps, signal }: EpochStart): AsyncGenerator<Either<Problem, Batch>> {
    for (const [name, step] of Object.entries({ from, to })) if (!Number.isSafeInteger(step) || step < 0) return yield left(problem('optionMalformed', `batches: ${name} must be a whole number from 0, not ${step}`))
    const end = Math.min(to, steps)
    const ended = new AbortController()
    const at = { seed, epoch, from, batchSize, shuffle, times }
    const slots = 'items' in source ? streamSlots(source, at) : datasetSlots(source, part!, fate === 'replace', corrupt, at)
    const ahead: Promise<Either<Problem, Batch>>[] = []
    let isWhole = false
    running++
    try {
      let given = 0
      for (let step = from; ; ) {
        while (ahead.length <= prefetch && step < end) ahead.push(make(step++, epoch, slots.take(), ended.signal))
        if (ahead.length === 0) break
        const made = await unlessAborted(ahead.shift()!, signal)
        if (made === 'aborted') return yield left(problem('aborted', `${source.name}: epoch ${epoch} was stopped before step ${step - ahead.length - 1}`))
        if (made._tag === 'Left') return yield made
        if (made.right.size === 0) continue
        given++
        yield made
      }
      if (given === 0 && from === 0 && end > 0) return yield left(noneIsGood())
      isWhole = true
    } finally {
      ended.abort()
      slots.close()
      running--
      if (!isWhole && running === 0) await decoder.close()
    }
  }

  const skipped = (): readonly Skipped[] => [...corrupt.values(), ...corruptInStreams.values()].sort((a, b) => byCodePoint(a.name, b.name))
  return right({
    classes: source.classes,
    size: dropLast ? steps * batchSize : size,
    steps,
    epoch: (epoch, start = {}) => ({ [Symbol.asyncIterator]: () => iterate(epoch, start) }),
    skipped,
    close: () => decoder.close(),
  })
}

/** The result, or at once that the signal was given. Not `Promise.race`, which would hold every batch for as long as the signal lives. */
const unlessAborted = <A>(result: Promise<A>, signal: AbortSignal | undefined): Promise<A | 'aborted'> =>
  new Promise(resolve => {
    const stop = (): void => resolve('aborted')
    if (signal?.aborted === true) return stop()
    signal?.addEventListener('abort', stop, { once: true })
    void result.then(value => {
      signal?.removeEventListener('abort', stop)
      resolve(value)
    })
  })
