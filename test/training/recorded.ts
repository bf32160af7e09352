import { readFileSync } from 'node:fs'

/** One optimiser or schedule as `{ name, config }`. */
interface Named {
  readonly name: string
  readonly config: Readonly<Record<string, unknown>>
}

/** Gradients before and after they were clipped. */
interface Clipped {
  readonly shapes: readonly (readonly number[])[]
  readonly before: readonly (readonly number[])[]
  readonly limit: number
  readonly norm: number
  readonly after: readonly (readonly number[])[]
}

/** What `make.py` recorded of PyTorch and timm. */
interface Recorded {
  readonly start: readonly number[]
  readonly gradients: readonly (readonly number[])[]
  readonly rates: readonly number[]
  readonly optimisers: readonly (Named & { readonly watched: Readonly<Record<string, readonly number[]>> })[]
  readonly clippedByNorm: readonly Clipped[]
  readonly clippedByValue: Clipped
  readonly schedules: readonly { readonly schedule: Named; readonly at: readonly number[]; readonly rates: readonly number[] }[]
  readonly targets: readonly number[]
  readonly losses: readonly (Named & { readonly logits: readonly number[]; readonly loss: number; readonly gradient: readonly number[] })[]
  readonly attention: { readonly shape: readonly number[]; readonly weights: readonly number[]; readonly penalty: number; readonly gradient: readonly number[] }
  /** Name, shape, whether it decays, and what its rate is scaled by at a decay of ½. */
  readonly models: Readonly<Record<string, readonly (readonly [string, readonly number[], boolean, number | null])[]>>
}

export const recorded = JSON.parse(readFileSync('test/fixtures/tricks/training.json', 'utf8')) as Recorded

/** The largest difference, as a share of the largest number expected, or of 1 where that is larger. */
export const distance = (ours: ArrayLike<number>, expected: readonly number[]): number =>
  ours.length !== expected.length ? NaN : expected.reduce((most, x, i) => Math.max(most, Math.abs(x - ours[i]!)), 0) / Math.max(1, ...expected.map(Math.abs))
