/**
 * Tommy Ettinger's mulberry32: from a 32-bit seed, a function that returns the next of 2³² unsigned integers
 * each time it is called. Integer arithmetic only, so every machine draws the same ones.
 *
 * @example
 * mulberry32(12345)() // 4207900869
 */
export const mulberry32 = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t
    return (t ^ (t >>> 14)) >>> 0
  }
}
