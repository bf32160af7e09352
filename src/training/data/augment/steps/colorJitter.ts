import type { Change } from '../augmentation.js'
import { draws } from '../draws.js'
import { enhance } from '../pixels/enhance.js'
import { shiftHue } from '../pixels/shiftHue.js'

/** Options of {@link colorJitter}: each the farthest that a factor is from 1, either way, but never below 0. */
export interface ColorJitterOptions {
  /** Default 0.4. */
  readonly brightness?: number
  /** Default 0.4. */
  readonly contrast?: number
  /** Default 0.4. */
  readonly saturation?: number
  /** The farthest that hues are turned either way, in parts of their circle, at most 0.5 (default 0). */
  readonly hue?: number
  /** Default 1. */
  readonly probability?: number
}

/**
 * Brightness, contrast, saturation and hue changed at random, one after the other in random order: `[height, width, c] →
 * [height, width, c]`. A grey picture has no saturation and no hue. Source: torchvision `ColorJitter`.
 *
 * @example
 * colorJitter({ brightness: 0.3, contrast: 0.3, saturation: 0.3 }).kind // 'change'
 */
export const colorJitter = (options: ColorJitterOptions = {}): Change => {
  const { brightness = 0.4, contrast = 0.4, saturation = 0.4, hue = 0, probability = 1 } = options
  const around = (most: number): readonly [number, number] => [Math.max(0, 1 - most), 1 + most]
  const parts = [
    { range: around(brightness), apply: enhance.brightness },
    { range: around(contrast), apply: enhance.contrast },
    { range: around(saturation), apply: enhance.saturation },
    { range: [-hue, hue] as const, apply: shiftHue },
  ].filter(({ range: [least, most] }) => most > least)
  return {
    name: 'colorJitter',
    config: { ...options },
    kind: 'change',
    apply: (picture, random) => {
      if (!draws.happens(random, probability)) return picture
      return random.permutation(parts.length).reduce((changed, i) => parts[i]!.apply(changed, draws.between(random, parts[i]!.range)), picture)
    },
  }
}
