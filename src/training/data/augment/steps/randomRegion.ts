import type { Random } from '../../../random.js'
import { draws } from '../draws.js'
import type { Region } from '../pixels/crop.js'

/** Options of {@link randomRegion}. */
export interface RegionOptions {
  /** Least and most share of the picture's area. */
  readonly scale: readonly [number, number]
  /** Least and most width by height. */
  readonly ratio: readonly [number, number]
}

const attempts = 10

/**
 * A part of a picture of that size, of random area and proportions and at a random place; the largest central one of
 * fitting proportions where ten draws give none that fits.
 *
 * Source: Szegedy et al., Going deeper with convolutions (2015), section 6; torchvision `RandomResizedCrop.get_params`.
 *
 * @example
 * randomRegion({ height: 100, width: 20 }, { scale: [0.9, 1], ratio: [3 / 4, 4 / 3] }, { uniform: () => 0.5, below: () => 0 }) // { top: 36, left: 0, height: 27, width: 20 }
 */
export const randomRegion = ({ height, width }: { readonly height: number; readonly width: number }, { scale, ratio }: RegionOptions, random: Pick<Random, 'uniform' | 'below'>): Region => {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const area = height * width * draws.between(random, scale)
    const proportion = draws.byLogarithm(random, ratio)
    const [columns, rows] = [Math.round(Math.sqrt(area * proportion)), Math.round(Math.sqrt(area / proportion))]
    if (columns > 0 && columns <= width && rows > 0 && rows <= height) return { top: random.below(height - rows + 1), left: random.below(width - columns + 1), height: rows, width: columns }
  }
  const own = width / height
  const columns = own > ratio[1] ? Math.max(1, Math.round(height * ratio[1])) : width
  const rows = own < ratio[0] ? Math.max(1, Math.round(width / ratio[0])) : height
  return { top: Math.floor((height - rows) / 2), left: Math.floor((width - columns) / 2), height: rows, width: columns }
}
