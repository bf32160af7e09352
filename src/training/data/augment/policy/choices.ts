import type { operations } from './operations.js'

type Name = keyof typeof operations

/** Operations to draw from; with weights, drawn in proportion to them and without drawing one twice. */
export interface Choices {
  readonly names: readonly Name[]
  readonly weights?: readonly number[]
}

const weighted = (weights: { readonly [K in Name]?: number }): Choices => ({ names: Object.keys(weights) as Name[], weights: Object.values(weights) })
const moves = ['shearX', 'shearY', 'translateXRel', 'translateYRel'] as const

/**
 * What RandAugment draws from (Cubuk et al., RandAugment, 2020, section 3; the sets are timm's): `plain`, or
 * `increasing`, where a larger magnitude is always a stronger change; `3a`, DeiT III's three; and two with weights.
 *
 * @example
 * choices.plain.names.length // 15
 */
export const choices = {
  plain: { names: ['autoContrast', 'equalize', 'invert', 'rotate', 'posterize', 'solarize', 'solarizeAdd', 'color', 'contrast', 'brightness', 'sharpness', ...moves] },
  increasing: { names: ['autoContrast', 'equalize', 'invert', 'rotate', 'posterizeIncreasing', 'solarizeIncreasing', 'solarizeAdd', 'colorIncreasing', 'contrastIncreasing', 'brightnessIncreasing', 'sharpnessIncreasing', ...moves] },
  '3a': { names: ['solarizeIncreasing', 'desaturate', 'gaussianBlur'] },
  '3aw': weighted({ solarizeIncreasing: 6, desaturate: 6, gaussianBlur: 6, rotate: 3, shearX: 2, shearY: 2, posterizeIncreasing: 1, autoContrast: 1, colorIncreasing: 1, sharpnessIncreasing: 1, contrastIncreasing: 1, brightnessIncreasing: 1, equalize: 1, invert: 1 }),
  weights: weighted({ rotate: 3, shearX: 2, shearY: 2, translateXRel: 1, translateYRel: 1, colorIncreasing: 0.25, sharpnessIncreasing: 0.25, autoContrast: 0.25, solarizeIncreasing: 0.05, solarizeAdd: 0.05, contrastIncreasing: 0.05, brightnessIncreasing: 0.05, equalize: 0.05, posterizeIncreasing: 0.05, invert: 0.05 }),
} as const satisfies Readonly<Record<string, Choices>>
