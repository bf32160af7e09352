import { fanOut, field, serial, similarityScale, unnamed, type AnyLayer } from '../../src/index.js'
import type { SimilarityScaleConfig } from '../../src/layers/similarityScale.js'

/**
 * Any tower for images and any for text, whose features are compared: CLIP learns the logarithm of the scale, ALIGN (Jia
 * et al., 2021, arXiv 2102.05918) its inverse, the temperature. Both towers give one vector of the same size. Parameters
 * live where those of the towers do; give each a name with `named`.
 * `{ image: [...], text: [...] } → { image_features: [dim], text_features: [dim], scale: [] }`.
 *
 * To train it, put the samples of a batch on an axis: `losses.contrastive(ops.batchToAxis(image_features, n),
 * ops.batchToAxis(text_features, n), scale, { smoothing: 0.1, both: 'sum' })` is ALIGN's loss.
 *
 * Errors: `towersDiffer`, `expectsFeatures`; those of the towers.
 *
 * @example
 * pipe(inputs({ image: input(224, 224, 3), text: integerInput(64) }), dualEncoder({ image: named('image', serial(vit({ patchSize: 16, dim: 192, depth: 12, numHeads: 3, numClasses: 0 }), linear(640))), text: named('text', textEncoder({ vocabularySize: 30522, dim: 256, depth: 4, numHeads: 4, numClasses: 640 })) }, { learned: 'temperature' })) // Model<{ image: [224, 224, 3], text: Integers<[64]> }, { image_features: [640], text_features: [640], scale: [] }>
 */
export const dualEncoder = <const I extends AnyLayer, const T extends AnyLayer>(towers: { readonly image: I; readonly text: T }, scale: SimilarityScaleConfig = {}) =>
  serial(
    fanOut({ image_features: unnamed(serial(field('image'), towers.image)), text_features: unnamed(serial(field('text'), towers.text)) }),
    similarityScale(scale),
  )
