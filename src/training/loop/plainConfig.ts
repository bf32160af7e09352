import { getOrElse } from 'fp-ts/lib/Either.js'
import { parse } from 'fp-ts/lib/Json.js'
import { print } from '../../graph/print.js'
import { fnv1a32 } from '../../weights/fnv1a32.js'
import { augmentationsOf } from '../data/augment/augmentationsOf.js'
import type { Dataset, SampleStream } from '../data/dataset.js'
import type { TrainingRoutines } from '../routines/trainingRoutines.js'
import type { Scores } from '../metrics/metric.js'
import type { Objective } from '../objectives/objective.js'
import type { TrainingData } from './trainingData.js'
import type { Named, TrainOptions } from './trainOptions.js'

type Plain = Readonly<Record<string, unknown>>

/**
 * What a training was told, as plain data for its checkpoints. No path is in it: the data are known by their classes
 * and labels, the model by its printed graph and, where they are told, its recipe and options.
 */
export const plainConfig = (settings: TrainOptions, { train, validation, mean, std, crop, interpolation, transform }: TrainingData, model: Pick<TrainingRoutines, 'graph' | 'parameters'>, objective: Objective | undefined, watch: keyof Scores): Plain => {
  const { epochs, steps, batchSize, accumulate = 1, optimiser, schedule, warmup, loss, clipNorm, clipValue, average, layerDecay = 1, seed = 0, validateEvery, checkpointEvery, patience, augment, about = {} } = settings
  // Through JSON and back, so that it equals what a checkpoint says.
  return JSON.parse(
    JSON.stringify({
      model: { recipe: about['recipe'], config: optionsIn(about['config']), graph: fnv1a32(print([model.graph.output, ...model.graph.features.values()])) },
      frozen: model.parameters.filter(p => p.attributes.role === 'frozen').map(p => p.attributes.name),
      epochs, steps, batchSize, accumulate, optimiser: named(optimiser), schedule: named(schedule), warmup, loss: typeof loss === 'function' ? 'of its own' : named(loss ?? { name: 'crossEntropy' }),
      // Where nothing is said, as in checkpoints of before there were objectives.
      objective: objective === undefined || (objective.name === 'classification' && Object.keys(objective.config).length === 0) ? undefined : named(objective),
      augment: augmentedBy(augment),
      clipNorm, clipValue, average, layerDecay, seed, validateEvery, checkpointEvery, patience, watch,
      data: described(train), validation: typeof validation === 'object' ? described(validation) : validation,
      images: { mean, std, crop, interpolation, transform: transform === undefined ? undefined : 'of its own' },
    }),
  ) as Plain
}

const named = ({ name, config = {} }: Named): Plain => ({ name, config })

/** Steps by name and options, whichever way they were written; nothing where there are none. */
const augmentedBy = (augment: TrainOptions['augment'] = []): unknown => {
  const read = augmentationsOf(augment)
  return read._tag === 'Left' || read.right.steps.length === 0 ? undefined : read.right.steps.map(named)
}

/** The options of a recipe, so that the one that changed is named; as they are written where they are no JSON. */
const optionsIn = (written: string | undefined): unknown => (written === undefined ? undefined : getOrElse<unknown, unknown>(() => written)(parse(written)))

const described = (source: Dataset | SampleStream): Plain => ({ size: source.size, classes: source.classes.length > 1000 ? fnv1a32(source.classes.join('\n')) : source.classes, ...('labels' in source ? { labels: fnv1a32(source.labels.join()) } : {}) })
