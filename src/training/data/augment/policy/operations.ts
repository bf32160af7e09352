import type { Random } from '../../../random.js'
import { draws } from '../draws.js'
import { affine } from '../pixels/affine.js'
import { enhance } from '../pixels/enhance.js'
import { gaussianBlur } from '../pixels/gaussianBlur.js'
import type { Interpolation, Picture } from '../pixels/picture.js'
import { rotate } from '../pixels/rotate.js'
import { tones } from '../pixels/tones.js'

/** How a moved picture is read, and what stands where it leaves nothing. */
export interface Reading {
  readonly interpolation: Interpolation
  readonly fill: readonly number[]
}

/** An operation of a policy at a strength from 0 to 1, which a raised limit may exceed. */
export type Operation = (picture: Picture, strength: number, random: Random, reading: Reading) => Picture

type Amount = (strength: number, random: Random) => number

/** As the strength rises, from black and white (0.1) to twice as much (1.9). */
const factor: Amount = strength => strength * 1.8 + 0.1
/** As the strength rises, away from 1, either way. */
const farther: Amount = (strength, random) => Math.max(0.1, 1 + draws.eitherSign(random, strength * 0.9))
const shear: Amount = (strength, random) => draws.eitherSign(random, strength * 0.3)
const share: Amount = (strength, random) => draws.eitherSign(random, strength * 0.45)
const bits = (strength: number): number => Math.trunc(strength * 4)
const threshold = (strength: number): number => Math.min(256, Math.trunc(strength * 256))

const changing = (change: (picture: Picture, amount: number) => Picture, amount: Amount): Operation => (picture, strength, random) => change(picture, amount(strength, random))
/** Of a strength above 1 as many bits are left, or none. */
const posterized = (kept: Amount): Operation => changing((picture, amount) => tones.posterize(picture, Math.min(8, Math.max(0, amount))), kept)

/**
 * The operations of AutoAugment and RandAugment, by timm's names, `[height, width, c] → [height, width, c]`. Where a
 * name ends in `Increasing`, more strength is always a stronger change; the plain ones weaken with it, or go through no
 * change on the way. On a grey picture `color` and `desaturate` change nothing.
 *
 * Source: Cubuk et al., AutoAugment (2019), table 6; strengths as in timm's `auto_augment.py`.
 *
 * @example
 * operations.solarize({ height: 1, width: 2, channels: 1, pixels: Uint8Array.of(100, 200) }, 0.5).pixels // Uint8Array.of(100, 55)
 */
export const operations = {
  autoContrast: (picture: Picture) => tones.autoContrast(picture),
  equalize: (picture: Picture) => tones.equalize(picture),
  invert: (picture: Picture) => tones.invert(picture),
  /** Up to 30 degrees. */
  rotate: (picture: Picture, strength: number, random: Random, { interpolation, fill }: Reading) => rotate(picture, draws.eitherSign(random, strength * 30), interpolation, fill),
  posterize: posterized(bits),
  posterizeIncreasing: posterized(strength => 4 - bits(strength)),
  posterizeOriginal: posterized(strength => bits(strength) + 4),
  solarize: changing(tones.solarize, threshold),
  solarizeIncreasing: changing(tones.solarize, strength => 256 - threshold(strength)),
  solarizeAdd: changing(tones.solarizeAdd, strength => Math.min(128, Math.trunc(strength * 110))),
  color: changing(enhance.saturation, factor),
  colorIncreasing: changing(enhance.saturation, farther),
  contrast: changing(enhance.contrast, factor),
  contrastIncreasing: changing(enhance.contrast, farther),
  brightness: changing(enhance.brightness, factor),
  brightnessIncreasing: changing(enhance.brightness, farther),
  sharpness: changing(enhance.sharpness, factor),
  sharpnessIncreasing: changing(enhance.sharpness, farther),
  shearX: (picture: Picture, strength: number, random: Random, { interpolation, fill }: Reading) => affine(picture, [1, shear(strength, random), 0, 0, 1, 0], interpolation, fill),
  shearY: (picture: Picture, strength: number, random: Random, { interpolation, fill }: Reading) => affine(picture, [1, 0, 0, shear(strength, random), 1, 0], interpolation, fill),
  /** Up to 45% of the width. */
  translateXRel: (picture: Picture, strength: number, random: Random, { interpolation, fill }: Reading) => affine(picture, [1, 0, share(strength, random) * picture.width, 0, 1, 0], interpolation, fill),
  translateYRel: (picture: Picture, strength: number, random: Random, { interpolation, fill }: Reading) => affine(picture, [1, 0, 0, 0, 1, share(strength, random) * picture.height], interpolation, fill),
  desaturate: changing(enhance.saturation, strength => 1 - Math.min(1, 0.5 + 0.5 * strength)),
  gaussianBlur: changing(gaussianBlur, strength => Math.min(2, 0.1 + 1.9 * strength)),
} as const satisfies Readonly<Record<string, Operation>>
