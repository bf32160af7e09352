/** What one update of the weights was like. */
export interface StepMetric {
  readonly kind: 'step'
  /** Updates made so far, from 1. */
  readonly step: number
  /** From 1. */
  readonly epoch: number
  /** The mean over the batch. */
  readonly loss: number
  /** The share of the batch it got right, in training mode. */
  readonly accuracy: number
  readonly rate: number
  /** The norm of all gradients together, before clipping. */
  readonly norm: number
}

/** How a model does on samples it does not learn from. */
export interface ValidationMetric {
  readonly kind: 'validation'
  readonly step: number
  readonly epoch: number
  readonly loss: number
  readonly accuracy: number
  /** With averaged weights, where they are kept. */
  readonly average?: { readonly loss: number; readonly accuracy: number }
  /** Whether it is the best so far. */
  readonly isBest: boolean
}

/** How an epoch went in training mode, over all its samples. */
export interface EpochMetric {
  readonly kind: 'epoch'
  readonly step: number
  readonly epoch: number
  readonly loss: number
  readonly accuracy: number
}

/** A line of `metrics.jsonl`. It holds no time, so that two runs write the same bytes. */
export type Metric = StepMetric | EpochMetric | ValidationMetric
