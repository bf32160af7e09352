import type { Erasing } from '../augmentation.js'
import { draws } from '../draws.js'
import type { Random } from '../../../random.js'

/** Options of {@link randomErasing}. */
export interface RandomErasingOptions {
  /** Default 0.25. */
  readonly probability?: number
  /** What takes the place of what was there: normal noise for each value (`pixel`), one normal colour a box (`rand`), or the mean of the data, 0 (`const`). Default `pixel`. */
  readonly mode?: 'pixel' | 'rand' | 'const'
  /** Least and most share of the area that all boxes together are meant to take (default 0.02 to 1/3). */
  readonly area?: readonly [number, number]
  /** Least and most height by width of a box (default 0.3 to 1/0.3). */
  readonly aspect?: readonly [number, number]
  /** How many boxes, or least and most of them (default 1). */
  readonly count?: number | readonly [number, number]
}

const attempts = 10

/**
 * Boxes of random size and place taken out of normalised values, with a probability: `[height, width, c]`, in place.
 * A box that does not fit in ten draws is left out.
 *
 * Source: Zhong et al., Random erasing data augmentation (2017), algorithm 1; modes and count as in timm.
 *
 * @example
 * randomErasing({ probability: 0.25, mode: 'pixel' }).kind // 'erasing'
 */
export const randomErasing = (options: RandomErasingOptions = {}): Erasing => {
  const { probability = 0.25, mode = 'pixel', area = [0.02, 1 / 3], aspect = [0.3, 1 / 0.3], count = 1 } = options
  const [fewest, most] = typeof count === 'number' ? [count, count] : count
  return {
    name: 'randomErasing',
    config: { ...options },
    kind: 'erasing',
    apply: (values, random, { height, width, channels }) => {
      if (!draws.happens(random, probability)) return
      const boxes = fewest + (most === fewest ? 0 : random.below(most - fewest + 1))
      for (let box = 0; box < boxes; box++) {
        for (let attempt = 0; attempt < attempts; attempt++) {
          const wanted = (height * width * draws.between(random, area)) / boxes
          const proportion = draws.byLogarithm(random, aspect)
          const [rows, columns] = [Math.round(Math.sqrt(wanted * proportion)), Math.round(Math.sqrt(wanted / proportion))]
          if (rows >= height || columns >= width) continue
          const [top, left] = [random.below(height - rows + 1), random.below(width - columns + 1)]
          const colour = colours(mode, random, channels)
          for (let y = top; y < top + rows; y++) for (let i = (y * width + left) * channels; i < (y * width + left + columns) * channels; i++) values[i] = colour(i % channels)
          break
        }
      }
    },
  }
}

/** What stands in each channel of a box, asked for value by value. */
const colours = (mode: 'pixel' | 'rand' | 'const', random: Random, channels: number): ((channel: number) => number) => {
  if (mode === 'const') return () => 0
  if (mode === 'pixel') return () => random.normal()
  const colour = Array.from({ length: channels }, () => random.normal())
  return channel => colour[channel]!
}
