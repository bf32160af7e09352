import { problem, type Problem } from '../../shape/problem.js'
import { augmentationsOf } from './augment/augmentationsOf.js'
import type { BatchOptions } from './batch.js'
import type { Dataset, SampleStream } from './dataset.js'

const isWhole = (least: number) => (value: number): boolean => Number.isSafeInteger(value) && value >= least

/**
 * The first option that cannot be, or nothing. Errors: `optionMalformed`, `transformNotPortable`, `streamNotSplit`,
 * `streamNotRepeated`, `channelsNotAugmented`, those of `augmentationsOf`.
 *
 * @example
 * checkBatchOptions({ name: 'all', classes: [], size: 1, shuffleBuffer: 1, items: () => [] }, { batchSize: 0, shape: [8, 8, 3] })?.sentence // 'batches: batchSize must be a whole number from 1, not 0'
 */
export const checkBatchOptions = (source: Dataset | SampleStream, options: BatchOptions): Problem | undefined => {
  const { batchSize, shape, seed = 0, mean = [0], std = [1], crop = 1, split, workers = 0, prefetch = 0, transform } = options
  const isOfChannels = (values: readonly number[]): boolean => (values.length === 1 || values.length === shape[2]) && values.every(Number.isFinite)
  const rules: readonly (readonly [name: string, value: unknown, isGood: boolean, wanted: string])[] = [
    ['batchSize', batchSize, isWhole(1)(batchSize), 'a whole number from 1'],
    ['shape', shape.join('×'), shape.length === 3 && shape.every(isWhole(1)), 'a height, a width and channels'],
    ['seed', seed, isWhole(0)(seed), 'a whole number from 0'],
    ['mean', mean.join(' '), isOfChannels(mean), `one number, or ${shape[2]}`],
    ['std', std.join(' '), isOfChannels(std) && std.every(value => value > 0), `one positive number, or ${shape[2]}`],
    ['crop', crop, crop > 0 && crop <= 1, 'more than 0 and at most 1'],
    ['workers', workers, isWhole(0)(workers), 'a whole number from 0'],
    ['prefetch', prefetch, isWhole(0)(prefetch), 'a whole number from 0'],
    ['split.validation', split?.validation, split === undefined || (split.validation > 0 && split.validation < 1), 'more than 0 and less than 1'],
  ]
  const broken = rules.find(([, , isGood]) => !isGood)
  if (broken !== undefined) return problem('optionMalformed', `batches: ${broken[0]} must be ${broken[3]}, not ${String(broken[1])}`)
  if (typeof transform === 'function' && workers > 0) return problem('transformNotPortable', 'batches: a transform that is a function cannot be handed to a thread', { remedy: 'give it as { module, name }, or workers: 0' })
  if (split !== undefined && 'items' in source) return problem('streamNotSplit', `${source.name}: a stream cannot be split, as nobody knows what is to come`, { remedy: 'give a second stream for validation' })
  const steps = augmentationsOf(options.augment ?? [])
  if (steps._tag === 'Left') return steps.left
  const { framing, changes, times } = steps.right
  if ((framing !== undefined || changes.length > 0) && shape[2] !== 1 && shape[2] !== 3) return problem('channelsNotAugmented', `augment: images of ${shape[2]} channels are neither grey nor coloured, so '${(framing ?? changes[0]!).name}' cannot change them`, { remedy: 'a transform of your own can' })
  if (times > 1 && 'items' in source) return problem('streamNotRepeated', `${source.name}: the samples of a stream cannot be repeated in an epoch`, { remedy: "leave 'repeated' out, or repeat them in the stream" })
  return undefined
}
