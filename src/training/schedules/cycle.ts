/** Options of schedules that come down and may begin again. */
export interface CycleOptions {
  /** The rate it begins with. */
  readonly rate: number
  /** The steps of the first cycle. */
  readonly steps: number
  /** The rate it comes down to, and stays at after the last cycle (default 0). */
  readonly minimum?: number
  /** How many cycles there are (default 1). */
  readonly cycles?: number
  /** How much longer each cycle is than the one before (default 1). */
  readonly cycleGrowth?: number
  /** What the rate each cycle begins with is multiplied by (default 1). */
  readonly cycleDecay?: number
}

/** The options with their defaults filled in. */
export const cycleConfig = ({ rate, steps, minimum = 0, cycles = 1, cycleGrowth = 1, cycleDecay = 1 }: CycleOptions): Required<CycleOptions> => ({ rate, steps, minimum, cycles, cycleGrowth, cycleDecay })

/** Where in a cycle a step is: steps since it began, its length, and its first rate; nothing after the last one. */
export const cycleAt = (step: number, { rate, steps, cycles, cycleGrowth, cycleDecay }: Required<CycleOptions>): { readonly at: number; readonly length: number; readonly top: number } | undefined => {
  const number = cycleGrowth === 1 ? Math.floor(step / steps) : Math.floor(Math.log(1 - (step / steps) * (1 - cycleGrowth)) / Math.log(cycleGrowth))
  if (number >= cycles) return undefined
  const begun = cycleGrowth === 1 ? steps * number : ((1 - cycleGrowth ** number) / (1 - cycleGrowth)) * steps
  return { at: step - begun, length: steps * cycleGrowth ** number, top: rate * cycleDecay ** number }
}
