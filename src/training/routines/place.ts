/** Where in a training step a node belongs: for naming what went wrong. */
export interface Place {
  /** The path of the layer, or of the parameter that is updated; empty for the loss. */
  readonly path: string
  /** Computing outputs, differentiating, or changing parameters. */
  readonly phase: 'forward' | 'backward' | 'update'
}
