import type { Repeating } from '../augmentation.js'

/** Options of {@link repeated}. */
export interface RepeatedOptions {
  /** How often a sample stands in an epoch (default 3). */
  readonly times?: number
}

/**
 * Each sample several times one after the other, differently augmented each time. An epoch is as long as ever, so that
 * with 3 it shows a third of the samples: which, is drawn anew in each.
 *
 * Source: Hoffer et al., Augment your batch (2020); Berman et al., MultiGrain (2019), section 3.2; `RASampler` of Touvron
 * et al., DeiT (2021), on one device.
 *
 * @example
 * repeated({ times: 3 }).times // 3
 */
export const repeated = (options: RepeatedOptions = {}): Repeating => ({ name: 'repeated', config: { ...options }, kind: 'repeating', times: options.times ?? 3 })
