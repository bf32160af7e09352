import type { Change } from '../augmentation.js'
import { draws } from '../draws.js'
import { gaussianBlur as blur } from '../pixels/gaussianBlur.js'

/** Options of {@link gaussianBlur}. */
export interface GaussianBlurOptions {
  /** Least and most standard deviation in pixels (default 0.1 to 2). */
  readonly radius?: readonly [number, number]
  /** Default 1. */
  readonly probability?: number
}

/**
 * A random blur, with a probability: `[height, width, c] → [height, width, c]`. Source: Chen et al., A simple framework
 * for contrastive learning (2020), appendix A; with Pillow's blur, as Touvron et al., DeiT III (2022).
 *
 * @example
 * gaussianBlur({ probability: 0.5 }).name // 'gaussianBlur'
 */
export const gaussianBlur = (options: GaussianBlurOptions = {}): Change => {
  const { radius = [0.1, 2], probability = 1 } = options
  return { name: 'gaussianBlur', config: { ...options }, kind: 'change', apply: (picture, random) => (draws.happens(random, probability) ? blur(picture, draws.between(random, radius)) : picture) }
}
