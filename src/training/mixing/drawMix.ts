import type { Random } from '../random.js'
import { beta } from './beta.js'
import type { Box, MapSize } from './box.js'
import { cutBox } from './cutBox.js'

/** How samples of a batch are mixed. */
export interface MixOptions {
  /** Alpha of MixUp's beta distribution (default 0: no MixUp). */
  readonly mixUp?: number
  /** Alpha of CutMix's (default 0: no CutMix). */
  readonly cutMix?: number
  /** How often a batch is mixed at all (default 1). */
  readonly probability?: number
  /** Where both are on, how often it is CutMix (default 0.5). */
  readonly switchProbability?: number
}

/** How one batch is mixed: the share each sample keeps of itself, and where CutMix puts its partner. */
export interface Mix {
  readonly lambda: number
  readonly box?: Box
}

/**
 * Draws how a batch is mixed: nothing, MixUp, or CutMix, as timm's `Mixup` in mode `batch` chooses. Of CutMix `lambda` is
 * what the box, cut off at the edges, leaves.
 *
 * @example
 * drawMix({ mixUp: 0.8, cutMix: 1 }, { height: 8, width: 8 }, { uniform: () => 0.5, normal: () => 0, below: () => 4 }) // { lambda: 0.5 }
 */
export const drawMix = ({ mixUp = 0, cutMix = 0, probability = 1, switchProbability = 0.5 }: MixOptions, size: MapSize, random: Pick<Random, 'uniform' | 'normal' | 'below'>): Mix => {
  if ((mixUp === 0 && cutMix === 0) || random.uniform() >= probability) return { lambda: 1 }
  const cuts = cutMix > 0 && (mixUp === 0 || random.uniform() < switchProbability)
  const lambda = beta(cuts ? cutMix : mixUp, random)
  if (!cuts) return { lambda }
  const { lambda: left, ...box } = cutBox(size, lambda, [random.below(size.height), random.below(size.width)])
  return { lambda: left, box }
}
