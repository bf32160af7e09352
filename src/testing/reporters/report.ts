import type { Problem } from '../../shape/problem.js'
import type { SignalShape } from '../../shape/shape.js'

/** What all laws together found on one model. */
export interface ReportedLaw {
  readonly law: string
  readonly title: string
  /** On how many parts of the model it holds, says nothing, and does not hold. */
  readonly kept: number
  readonly silent: number
  readonly broken: number
}

/** A law that does not hold, told so that somebody can act on it. */
export interface ReportedFailure {
  readonly law: string
  readonly title: string
  readonly meaning: string
  /** Where: `encoderBlock at blocks.0`. */
  readonly part: string
  readonly path: string
  /** What shows it. */
  readonly evidence: string
  /** Other laws that the same part breaks. */
  readonly also: readonly string[]
  /** The smallest recipe found that fails alike. */
  readonly smallest?: { readonly source: string; readonly layers: number; readonly evidence: string }
  /** Where the layer stands in the user's own file, lines from 1. */
  readonly file?: string
  readonly line?: number
  /** The file that makes it happen again. */
  readonly replay?: string
}

/** What became of one model. */
export interface ReportedModel {
  readonly id: string
  readonly ok: boolean
  readonly input: SignalShape
  readonly output?: SignalShape
  readonly params?: number
  /** Backends it ran on, with commas between. */
  readonly backend?: string
  readonly seed: number
  /** How it was scaled down, in words. */
  readonly scaled?: string
  /** How many distinct layers were checked alone. */
  readonly parts?: number
  readonly seconds: number
  readonly laws: readonly ReportedLaw[]
  readonly failures: readonly ReportedFailure[]
  /** Why it could not be checked at all. */
  readonly problem?: Problem
}
