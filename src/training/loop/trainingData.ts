import type { BatchOptions } from '../data/batch.js'
import type { Dataset, SampleStream } from '../data/dataset.js'

/** What a model learns from, and how images become what it takes. */
export interface TrainingData extends Pick<BatchOptions, 'mean' | 'std' | 'crop' | 'interpolation' | 'transform' | 'workers' | 'prefetch'> {
  readonly train: Dataset | SampleStream
  /** What it is tested on as it learns: other samples, or a share of those of `train`, which it then does not learn from. */
  readonly validation?: Dataset | SampleStream | number
}
