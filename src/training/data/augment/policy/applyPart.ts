import type { Random } from '../../../random.js'
import type { Target } from '../augmentation.js'
import { draws } from '../draws.js'
import type { Picture } from '../pixels/picture.js'
import { operations } from './operations.js'
import type { Part } from './policies.js'

/** Magnitudes are tenths of the full strength. */
export const fullMagnitude = 10

/** How magnitudes vary, and how moved pictures are read. */
export interface Variation {
  /** Standard deviation of the magnitude; above 100, it is drawn evenly from 0 to what it is. 0 unless given. */
  readonly magnitudeStd?: number
  /** The most a magnitude may become (default 10). */
  readonly magnitudeMax?: number
  /** How pictures are read between pixels when they are turned, sheared or moved; `random` is bilinear or bicubic each time (default: that of the data, bicubic). */
  readonly interpolation?: 'nearest' | 'bilinear' | 'bicubic' | 'random'
}

/**
 * A part of a policy, done with its probability, at a magnitude that varies: `[height, width, c] → [height, width, c]`.
 * Source: timm's `AugmentOp`.
 *
 * @example
 * applyPart(['solarize', 1, 5], { height: 1, width: 2, channels: 1, pixels: Uint8Array.of(100, 200) }, { uniform: () => 0 }, { interpolation: 'bicubic', fill: [0] }, {}).pixels // Uint8Array.of(100, 55)
 */
export const applyPart = ([name, probability, magnitude]: Part, picture: Picture, random: Random, target: Target, { magnitudeStd = 0, magnitudeMax = fullMagnitude, interpolation = target.interpolation }: Variation): Picture => {
  if (!draws.happens(random, probability)) return picture
  const varied = magnitudeStd > 100 ? draws.between(random, [0, magnitude]) : magnitudeStd > 0 ? magnitude + magnitudeStd * random.normal() : magnitude
  const reading = { fill: target.fill, interpolation: interpolation === 'random' ? draws.oneOf(random, ['bilinear', 'bicubic'] as const) : interpolation }
  return operations[name](picture, Math.min(magnitudeMax, Math.max(0, varied)) / fullMagnitude, random, reading)
}
