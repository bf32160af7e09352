/** How good something is: the mean loss, and the share that is right where an objective can count it. */
export interface Scores {
  readonly loss: number
  /** The share whose class was told. */
  readonly accuracy?: number
  /** The share of images whose text was found among those of the batch. */
  readonly retrieval?: number
}

/** What one update of the weights was like: the mean over its samples, in training mode. */
export interface StepMetric extends Scores {
  readonly kind: 'step'
  /** Updates made so far, from 1. */
  readonly step: number
  /** From 1. */
  readonly epoch: number
  readonly rate: number
  /** The norm of all gradients together, before clipping. */
  readonly norm: number
}

/** How a model does on samples it does not learn from. */
export interface ValidationMetric extends Scores {
  readonly kind: 'validation'
  readonly step: number
  readonly epoch: number
  /** With averaged weights, where they are kept. */
  readonly average?: Scores
  /** Whether it is the best so far. */
  readonly isBest: boolean
}

/** How an epoch went in training mode, over all its samples. */
export interface EpochMetric extends Scores {
  readonly kind: 'epoch'
  readonly step: number
  readonly epoch: number
}

/** A line of `metrics.jsonl`. It holds no time, so that two runs write the same bytes. */
export type Metric = StepMetric | EpochMetric | ValidationMetric
