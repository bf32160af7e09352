import type { Change } from '../augmentation.js'
import { draws } from '../draws.js'
import { gaussianBlur } from './gaussianBlur.js'
import { grayscale } from './grayscale.js'
import { solarize } from './solarize.js'

/**
 * One of three, each as likely: no colours, bright values inverted, or a blur. `[height, width, c] → [height, width, c]`.
 * Source: Touvron et al., DeiT III (2022), section 3, where a `colorJitter` of 0.3 follows.
 *
 * @example
 * threeAugment().name // 'threeAugment'
 */
export const threeAugment = (): Change => {
  const three = [grayscale(), solarize(), gaussianBlur()]
  return { name: 'threeAugment', config: {}, kind: 'change', apply: (picture, random, target) => draws.oneOf(random, three).apply(picture, random, target) }
}
