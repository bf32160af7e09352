import type { Schedule } from './schedule.js'

/** Options of {@link warmup}. */
export interface WarmupOptions {
  /** How long the rate rises. */
  readonly steps: number
  /** The rate it rises from (default 0). */
  readonly from?: number
  /**
   * Whether the schedule begins only when the rate has risen (timm's `warmup_prefix`). By default it has been running
   * all the while, and goes on from where it is then, as in DeiT.
   */
  readonly prefix?: boolean
}

/**
 * A straight rise to the rate a schedule begins with (Goyal et al., 2017, section 2.2), then the schedule.
 *
 * @example
 * warmup({ steps: 4 }, schedules.constant({ rate: 1 })).rate(1) // 0.25
 */
export const warmup = ({ steps, from = 0, prefix = false }: WarmupOptions, schedule: Schedule): Schedule => {
  const slope = (schedule.rate(0) - from) / steps
  return {
    name: 'warmup',
    config: { steps, from, prefix, schedule },
    rate: step => (step < steps ? from + step * slope : schedule.rate(prefix ? step - steps : step)),
  }
}
