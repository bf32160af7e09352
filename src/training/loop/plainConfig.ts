import { fnv1a32 } from '../../weights/fnv1a32.js'
import type { Dataset, SampleStream } from '../data/dataset.js'
import type { TrainingData } from './trainingData.js'
import type { Named, TrainSettings } from './trainOptions.js'

type Plain = Readonly<Record<string, unknown>>

/**
 * What a training was told, as plain data for its checkpoints. No path is in it: the data are known by their classes
 * and labels.
 */
export const plainConfig = (settings: TrainSettings, { train, validation, mean, std, crop, interpolation, transform }: TrainingData): Plain => {
  const { epochs, steps, batchSize, accumulate = 1, optimiser, schedule, warmup, loss, clipNorm, clipValue, average, layerDecay = 1, seed = 0, validateEvery, checkpointEvery, patience, watch = 'accuracy' } = settings
  // Through JSON and back, so that it equals what a checkpoint says.
  return JSON.parse(
    JSON.stringify({
      epochs, steps, batchSize, accumulate, optimiser: named(optimiser), schedule: named(schedule), warmup, loss: typeof loss === 'function' ? 'of its own' : named(loss ?? { name: 'crossEntropy' }),
      clipNorm, clipValue, average, layerDecay, seed, validateEvery, checkpointEvery, patience, watch,
      data: described(train), validation: typeof validation === 'object' ? described(validation) : validation,
      images: { mean, std, crop, interpolation, transform: transform === undefined ? undefined : 'of its own' },
    }),
  ) as Plain
}

const named = ({ name, config = {} }: Named): Plain => ({ name, config })

const described = (source: Dataset | SampleStream): Plain => ({ size: source.size, classes: source.classes, ...('labels' in source ? { labels: fnv1a32(source.labels.join()) } : {}) })
