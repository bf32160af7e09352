/**
 * What is added to the scores of attention in shifted windows (Liu et al., 2021, section 3.2, figure 4). A roll
 * brings opposite borders of the map together in one window; tokens of different regions get −100, which
 * leaves nothing of them after a softmax, tokens of one region 0. A region is told by where its rows and
 * columns came from; along an axis that was not rolled there is one. Sizes are those of the (padded) map.
 * → `[windows, tokens, tokens]`.
 */
export const shiftedWindowMask = (map: readonly [number, number], window: readonly [number, number], shift: readonly [number, number]): Float32Array => {
  const [rows, columns] = [map[0] / window[0], map[1] / window[1]]
  const tokens = window[0] * window[1]
  const region = (at: number, axis: 0 | 1): number => (shift[axis] === 0 || at < map[axis] - window[axis] ? 0 : at < map[axis] - shift[axis] ? 1 : 2)
  const mask = new Float32Array(rows * columns * tokens * tokens)
  const regions = new Uint8Array(tokens)
  for (let w = 0; w < rows * columns; w++) {
    const [top, left] = [Math.floor(w / columns) * window[0], (w % columns) * window[1]]
    for (let t = 0; t < tokens; t++) regions[t] = 3 * region(top + Math.floor(t / window[1]), 0) + region(left + (t % window[1]), 1)
    for (let query = 0; query < tokens; query++)
      for (let key = 0; key < tokens; key++) if (regions[query] !== regions[key]) mask[(w * tokens + query) * tokens + key] = -100
  }
  return mask
}
