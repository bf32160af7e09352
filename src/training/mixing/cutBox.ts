import type { Box, MapSize } from './box.js'

/**
 * The box of CutMix (Yun et al., 2019, section 3.1), as in the authors' code and in timm up to 1.0.28: about a centre, of
 * `1 − lambda` of the image, an odd side one less, cut off at its edges. `lambda` of the result is the share that stays.
 *
 * @param lambda the share that is to stay, from 0 to 1
 * @param centre its row and column
 *
 * @example
 * cutBox({ height: 8, width: 8 }, 0.75, [0, 4]) // { top: 0, bottom: 2, left: 2, right: 6, lambda: 0.875 }
 */
export const cutBox = ({ height, width }: MapSize, lambda: number, [row, column]: readonly [row: number, column: number]): Box & { readonly lambda: number } => {
  const side = Math.sqrt(1 - lambda)
  const span = (size: number, at: number): readonly [number, number] => {
    const half = Math.floor(Math.floor(size * side) / 2)
    return [Math.max(0, at - half), Math.min(size, at + half)]
  }
  const [[top, bottom], [left, right]] = [span(height, row), span(width, column)]
  return { top, bottom, left, right, lambda: 1 - ((bottom - top) * (right - left)) / (height * width) }
}
