import type { Schedule } from './schedule.js'

/** Options of {@link constant}. */
export interface ConstantOptions {
  readonly rate: number
}

/**
 * The same rate at every step.
 *
 * @example
 * constant({ rate: 0.001 }).rate(7) // 0.001
 */
export const constant = ({ rate }: ConstantOptions): Schedule => ({ name: 'constant', config: { rate }, rate: () => rate })
