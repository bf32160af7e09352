import { constantFrom, integer, tuple, uniqueArray, array, boolean, type Arbitrary } from 'fast-check'
import type { Shape } from '../../shape/shape.js'

/** Primes, so that a size says which axis it came from. */
const primes = [2, 3, 5, 7, 11, 13] as const

/** How many channels there are, and how they split among heads. */
export interface HeadFactors {
  readonly dim: number
  readonly numHeads: number
  readonly headDim: number
}

/** An image and the patches it divides into. */
export interface PatchGrid {
  readonly imageSize: readonly [number, number]
  readonly patchSize: readonly [number, number]
  readonly grid: readonly [number, number]
}

/** Shapes that broadcast together, and what they make together. */
export interface BroadcastFamily {
  readonly shapes: readonly Shape[]
  readonly result: Shape
}

/**
 * Sizes of a channel axis, small ones first: 1, primes, and products of several, as 12, 15 and 30.
 *
 * @example
 * fc.sample(dims(), 5).every(dim => dim >= 1 && dim <= 64) // true
 */
export const dims = (): Arbitrary<number> => constantFrom(1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 16, 24, 30, 32, 48, 64)

/**
 * Channels that split into heads.
 *
 * @example
 * fc.sample(headFactors(), 5).every(f => f.dim === f.numHeads * f.headDim) // true
 */
export const headFactors = (): Arbitrary<HeadFactors> =>
  tuple(constantFrom(1, 2, 3, 4, 5), constantFrom(1, 2, 3, 5, 7, 8)).map(([numHeads, headDim]) => ({ dim: numHeads * headDim, numHeads, headDim }))

/**
 * Images that divide into patches, higher than wide or wider than high.
 *
 * @example
 * fc.sample(patchGrids(), 5).every(g => g.imageSize[0] === g.patchSize[0] * g.grid[0]) // true
 */
export const patchGrids = (): Arbitrary<PatchGrid> => {
  const side = (): Arbitrary<number> => integer({ min: 1, max: 4 })
  return tuple(side(), side(), side(), side())
    .map(([patchHeight, patchWidth, rows, columns]): PatchGrid => ({ imageSize: [patchHeight * rows, patchWidth * columns], patchSize: [patchHeight, patchWidth], grid: [rows, columns] }))
    .filter(({ imageSize }) => imageSize[0] !== imageSize[1])
}

/**
 * Shapes of different primes, of up to `maxRank` axes (default 4).
 *
 * @example
 * fc.sample(shapes({ maxRank: 3 }), 5).every(shape => new Set(shape).size === shape.length) // true
 */
export const shapes = ({ minRank = 0, maxRank = 4 }: { readonly minRank?: number; readonly maxRank?: number } = {}): Arbitrary<Shape> =>
  uniqueArray(constantFrom(...primes), { minLength: minRank, maxLength: Math.min(maxRank, primes.length) })

/**
 * Shapes that broadcast together: any axis may be 1, and the first ones may be missing.
 *
 * @example
 * fc.sample(broadcastFamilies(), 5).every(f => f.shapes.length >= 2) // true
 */
export const broadcastFamilies = ({ maxRank = 4 }: { readonly maxRank?: number } = {}): Arbitrary<BroadcastFamily> =>
  shapes({ maxRank }).chain(full =>
    array(tuple(integer({ min: 0, max: full.length }), array(boolean(), { minLength: full.length, maxLength: full.length })), { minLength: 2, maxLength: 3 }).map(members => {
      const made = members.map(([missing, isOne]) => full.map((size, i) => (isOne[i] === true ? 1 : size)).slice(missing))
      const result = full.map((_, i) => Math.max(1, ...made.map(shape => shape[i - full.length + shape.length] ?? 1)))
      return { shapes: made, result: result.slice(full.length - Math.max(...made.map(shape => shape.length))) }
    }),
  )
