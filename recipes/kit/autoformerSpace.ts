import { defineSpace, type AnyModel } from '../../src/index.js'
import { autoformerRecipe, autoformerRecipes } from '../autoformer.js'

/** The sizes of one supernet, and what is chosen in it: channels and blocks of the whole, heads and MLP of each block. */
interface Sizes<D extends number, N extends number, H extends number, R extends number> {
  readonly dim: readonly D[]
  readonly depth: readonly N[]
  readonly numHeads: readonly H[]
  readonly mlpRatio: readonly R[]
}

const spaceOf = <const D extends number, const N extends number, const H extends number, const R extends number>({ dim, depth, numHeads, mlpRatio }: Sizes<D, N, H, R>, whole: unknown) =>
  defineSpace(
    { dim, depth, numHeads: { each: numHeads, times: 'depth' }, mlpRatio: { each: mlpRatio, times: 'depth' } },
    picked => autoformerRecipe({ imageSize: 224, patchSize: 16, ...picked }).model,
    { whole: whole as AnyModel },
  )

/**
 * The search spaces of AutoFormer (Chen et al., 2021, Table 1, as in the authors' `experiments/supernet`): `model` is a
 * sub-network on its own, whose shapes, parameters and multiply-adds are known before anything runs, and `whole` the
 * supernet that all of them are parts of.
 *
 * @example
 * autoformerSpace.tiny.largest.dim // 240
 */
export const autoformerSpace = {
  tiny: spaceOf({ dim: [192, 216, 240], depth: [12, 13, 14], numHeads: [3, 4], mlpRatio: [3.5, 4] }, autoformerRecipes.autoformer_t_supernet.model),
  small: spaceOf({ dim: [320, 384, 448], depth: [12, 13, 14], numHeads: [5, 6, 7], mlpRatio: [3, 3.5, 4] }, autoformerRecipes.autoformer_s_supernet.model),
  base: spaceOf({ dim: [528, 576, 624], depth: [14, 15, 16], numHeads: [8, 9, 10], mlpRatio: [3, 3.5, 4] }, autoformerRecipes.autoformer_b_supernet.model),
} as const
