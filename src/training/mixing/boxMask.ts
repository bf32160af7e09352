import type { Box, MapSize } from './box.js'

/**
 * 1 inside a box and 0 outside, `[height, width]`, row by row.
 *
 * @example
 * boxMask({ height: 1, width: 3 }, { top: 0, bottom: 1, left: 1, right: 3 }) // Float32Array.of(0, 1, 1)
 */
export const boxMask = ({ height, width }: MapSize, { top, bottom, left, right }: Box): Float32Array =>
  Float32Array.from({ length: height * width }, (_, i) => {
    const [row, column] = [Math.floor(i / width), i % width]
    return row >= top && row < bottom && column >= left && column < right ? 1 : 0
  })
