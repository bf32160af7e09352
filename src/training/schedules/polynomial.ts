import { cycleAt, cycleConfig, type CycleOptions } from './cycle.js'
import type { Schedule } from './schedule.js'

/** Options of {@link polynomial}. */
export interface PolynomialOptions extends CycleOptions {
  /** 1 is a straight line (the default), 2 a parabola. */
  readonly power?: number
  /** As in `cosine` (default 1). */
  readonly exponent?: number
}

/**
 * From `rate` down to `minimum` by a power of the way left, as timm's `PolyLRScheduler`:
 * `minimum + (rate − minimum)·(1 − (t / steps)^exponent)^power`.
 *
 * @example
 * polynomial({ rate: 1, steps: 100 }).rate(25) // 0.75
 */
export const polynomial = ({ power = 1, exponent = 1, ...options }: PolynomialOptions): Schedule => {
  const config = cycleConfig(options)
  return {
    name: 'polynomial',
    config: { ...config, power, exponent },
    rate: step => {
      const cycle = cycleAt(step, config)
      return cycle === undefined ? config.minimum : config.minimum + (cycle.top - config.minimum) * (1 - cycle.at ** exponent / cycle.length ** exponent) ** power
    },
  }
}
