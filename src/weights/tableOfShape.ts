import { sizeOf, type Shape } from '../shape/shape.js'
import type { PositionTable } from './positionTables.js'

/**
 * What a stored table of some shape is, if it is for the same use as one of a model: of as many channels and prefix
 * tokens, and of a square grid where its shape does not tell.
 *
 * @example
 * tableOfShape([1, 197, 8], { kind: 'absolute', grid: [24, 24], prefixTokens: 1, dim: 8, isTransposed: false }).grid // [14, 14]
 */
export const tableOfShape = (shape: Shape, like: PositionTable): PositionTable | undefined => {
  const { dim, prefixTokens, isTransposed } = like
  if ((isTransposed ? shape[0] : shape.at(-1)) !== dim) return undefined
  const grid = gridOf(shape, sizeOf(shape) / dim - prefixTokens, like)
  return grid === undefined ? undefined : { ...like, grid }
}

const gridOf = (shape: Shape, places: number, { grid, isTransposed }: PositionTable): readonly [number, number] | undefined => {
  if (isTransposed) return shape.length === 3 ? [shape[1]!, shape[2]!] : undefined
  if (shape.length === 4) return [shape[1]!, shape[2]!]
  // A table of rows or of columns alone.
  if (grid[1] === 1) return [places, 1]
  if (grid[0] === 1) return [1, places]
  const side = Math.sqrt(places)
  return Number.isInteger(side) && side > 0 ? [side, side] : undefined
}
