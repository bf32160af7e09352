import type { Picture } from './picture.js'

/** A part of a picture, in pixels; it may reach beyond the borders. */
export interface Region {
  readonly top: number
  readonly left: number
  readonly height: number
  readonly width: number
}

/**
 * A part of a picture, `[h, w, c] → [region.height, region.width, c]`. What lies beyond the borders is black, or the
 * picture mirrored about its outermost pixels (numpy's `reflect`: they are not repeated).
 *
 * @example
 * crop({ height: 1, width: 3, channels: 1, pixels: Uint8Array.of(1, 2, 3) }, { top: 0, left: -2, height: 1, width: 4 }, 'reflect').pixels // Uint8Array.of(3, 2, 1, 2)
 */
export const crop = ({ height, width, channels, pixels }: Picture, region: Region, beyond: 'constant' | 'reflect'): Picture => {
  const part = new Uint8Array(region.height * region.width * channels)
  const rows = places(region.top, region.height, height, beyond)
  const columns = places(region.left, region.width, width, beyond)
  for (let y = 0, to = 0; y < region.height; y++) {
    for (let x = 0; x < region.width; x++) {
      const isInside = rows[y]! >= 0 && columns[x]! >= 0
      const from = (rows[y]! * width + columns[x]!) * channels
      for (let c = 0; c < channels; c++, to++) if (isInside) part[to] = pixels[from + c]!
    }
  }
  return { height: region.height, width: region.width, channels, pixels: part }
}

/** Which of `size` rows or columns stands at each place; −1 for none. */
const places = (first: number, count: number, size: number, beyond: 'constant' | 'reflect'): Int32Array =>
  Int32Array.from({ length: count }, (_, i) => {
    const at = first + i
    if (at >= 0 && at < size) return at
    if (beyond === 'constant') return -1
    const period = Math.max(1, 2 * (size - 1))
    const folded = ((at % period) + period) % period
    return Math.min(folded, period - folded)
  })
