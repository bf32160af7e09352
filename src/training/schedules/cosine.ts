import { cycleAt, cycleConfig, type CycleOptions } from './cycle.js'
import type { Schedule } from './schedule.js'

/** Options of {@link cosine}. */
export interface CosineOptions extends CycleOptions {
  /** Above 1 it stays high for longer, below 1 shorter (Zhang and Li, 2021, "k-decay"; default 1). */
  readonly exponent?: number
}

/**
 * Half a cosine from `rate` down to `minimum` (Loshchilov and Hutter, 2017, SGDR), as timm's `CosineLRScheduler`:
 * `minimum + ½·(rate − minimum)·(1 + cos(π·(t / steps)^exponent))`.
 *
 * @example
 * cosine({ rate: 1, steps: 100 }).rate(100) // 0
 */
export const cosine = ({ exponent = 1, ...options }: CosineOptions): Schedule => {
  const config = cycleConfig(options)
  return {
    name: 'cosine',
    config: { ...config, exponent },
    rate: step => {
      const cycle = cycleAt(step, config)
      return cycle === undefined ? config.minimum : config.minimum + 0.5 * (cycle.top - config.minimum) * (1 + Math.cos((Math.PI * cycle.at ** exponent) / cycle.length ** exponent))
    },
  }
}
