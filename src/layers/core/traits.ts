/**
 * What a layer promises beyond its shape, in inference. Nothing reads it but the testing kit, which holds a layer to
 * its word; a layer that promises nothing is only held to what is true of all.
 */
export interface Traits {
  /**
   * What an element of the output may depend on, beside weights: the same `element` of the input, the channels of the
   * same `place` (a token, a pixel), or the same `channel` anywhere.
   */
  readonly reach?: 'element' | 'place' | 'channel'
  /**
   * What becomes of the output where the places of the input change seats: it does alike (`equivariant`), stays as it
   * was (`invariant`), or is another one, since the layer knows where things are (`positional`).
   */
  readonly order?: 'equivariant' | 'invariant' | 'positional'
  /** Parameters, by name within the layer, that change nothing it computes, and why: they are there because published weights have them. */
  readonly inert?: Readonly<Record<string, string>>
  /** Why parameters inside it may serve in several places, or in none. */
  readonly shares?: string
  /**
   * How many of the layers it applies, the first ones, act by a choice made of what they give (an order, the better of
   * two) and not by its size: other weights may give the same, and a gradient may not reach them.
   */
  readonly chooses?: number
  /**
   * What it drops at a time in training, at the `rate` of its options: an `element`, the channels of a `place`, or all of
   * a `sample`. The mean over many masks is the input: what drops must scale what it keeps.
   */
  readonly drops?: 'element' | 'place' | 'sample'
}
