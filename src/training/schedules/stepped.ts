import type { Schedule } from './schedule.js'

/** Options of {@link stepped}. */
export interface SteppedOptions {
  readonly rate: number
  /** After how many steps the rate falls, each time. */
  readonly every: number
  /** What it is multiplied by then (default 0.1). */
  readonly factor?: number
}

/**
 * A rate that falls at regular steps, as PyTorch's `StepLR` and timm's `StepLRScheduler`: `rate · factor^⌊t / every⌋`.
 *
 * @example
 * stepped({ rate: 1, every: 30, factor: 0.5 }).rate(60) // 0.25
 */
export const stepped = ({ rate, every, factor = 0.1 }: SteppedOptions): Schedule => ({
  name: 'stepped',
  config: { rate, every, factor },
  rate: step => rate * factor ** Math.floor(step / every),
})
