/** A learning rate over time. Written to JSON it is its name and config, from which `scheduleOf` makes it again. */
export interface Schedule {
  readonly name: string
  readonly config: Readonly<Record<string, unknown>>
  /**
   * The rate at a step, counted from 0; parts of a step are allowed. Steps are whatever its options count: updates, or
   * epochs as timm's schedulers do.
   */
  readonly rate: (step: number) => number
}
