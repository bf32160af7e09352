import type { Random } from '../../../random.js'
import type { Change } from '../augmentation.js'
import { draws } from '../draws.js'
import { affine } from '../pixels/affine.js'
import { enhance } from '../pixels/enhance.js'
import type { Interpolation, Picture } from '../pixels/picture.js'
import { rotate } from '../pixels/rotate.js'
import { tones } from '../pixels/tones.js'

/** Options of {@link trivialAugment}. */
export interface TrivialAugmentOptions {
  /** How pictures are read between pixels when they are turned, sheared or moved (default `nearest`). */
  readonly interpolation?: Interpolation
}

/** Steps from no strength to the full one. */
const steps = 30

/** So many of the steps from 0 to the most, counted from the nearer end and rounded to float32, as torch's `linspace`. */
const amountAt = (step: number, most: number): number => {
  const full = Math.fround(most)
  const each = Math.fround(full / steps)
  return Math.fround(step < steps / 2 ? each * step : full - Math.fround(each * (steps - step)))
}

type Operation = (picture: Picture, step: number, random: Random, interpolation: Interpolation) => Picture

const black = [0]
const signed = (most: number, change: (picture: Picture, amount: number, interpolation: Interpolation) => Picture): Operation => (picture, step, random, interpolation) => change(picture, draws.eitherSign(random, amountAt(step, most)), interpolation)

const operations: readonly Operation[] = [
  picture => picture,
  signed(0.99, (picture, by, interpolation) => affine(picture, [1, by, 0, 0, 1, 0], interpolation, black)),
  signed(0.99, (picture, by, interpolation) => affine(picture, [1, 0, 0, by, 1, 0], interpolation, black)),
  signed(32, (picture, by, interpolation) => affine(picture, [1, 0, -Math.trunc(by), 0, 1, 0], interpolation, black)),
  signed(32, (picture, by, interpolation) => affine(picture, [1, 0, 0, 0, 1, -Math.trunc(by)], interpolation, black)),
  signed(135, (picture, by, interpolation) => rotate(picture, by, interpolation, black)),
  signed(0.99, (picture, by) => enhance.brightness(picture, 1 + by)),
  signed(0.99, (picture, by) => enhance.saturation(picture, 1 + by)),
  signed(0.99, (picture, by) => enhance.contrast(picture, 1 + by)),
  signed(0.99, (picture, by) => enhance.sharpness(picture, 1 + by)),
  (picture, step) => tones.posterize(picture, 8 - Math.round((6 * step) / steps)),
  (picture, step) => tones.solarize(picture, 255 - (255 * step) / steps),
  tones.autoContrast,
  tones.equalize,
]

/**
 * One of 14 operations at one of 31 strengths, all drawn alike: `[height, width, c] → [height, width, c]`. Nothing is to be
 * tuned. What a moved picture leaves is black.
 *
 * Source: Müller and Hutter, TrivialAugment (2021), the wide space of table 2; torchvision `TrivialAugmentWide`.
 *
 * @example
 * trivialAugment().name // 'trivialAugment'
 */
export const trivialAugment = (options: TrivialAugmentOptions = {}): Change => ({
  name: 'trivialAugment',
  config: { ...options },
  kind: 'change',
  apply: (picture, random) => draws.oneOf(random, operations)(picture, random.below(steps + 1), random, options.interpolation ?? 'nearest'),
})
