/** The high 32 bits of a product of two unsigned 32-bit integers; each partial product of 16-bit halves is exact. */
const high = (a: number, b: number): number => {
  const [a0, a1, b0, b1] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16]
  const cross = a1 * b0 + ((a0 * b0) >>> 16)
  const middle = (cross & 0xffff) + a0 * b1
  return (a1 * b1 + Math.floor(cross / 0x10000) + Math.floor(middle / 0x10000)) >>> 0
}

/**
 * Philox4x32-10: the four unsigned 32-bit integers that belong to a counter of four and a key of two. Each counter
 * gives its own, so any place of a stream is reached at once, in any order, on any thread.
 *
 * Source: Salmon et al., Parallel random numbers: as easy as 1, 2, 3 (2011), section 3.2; the generator of
 * TensorFlow's and PyTorch's GPU kernels.
 *
 * @example
 * philox([0, 0, 0, 0], [0, 0]) // [1713891541, 3781805453, 3159862348, 2600524760]
 */
export const philox = (
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): readonly [number, number, number, number] => {
  let [c0, c1, c2, c3] = counter
  let [k0, k1] = key
  for (let round = 0; round < 10; round++) {
    const [h0, l0] = [high(0xd2511f53, c0), Math.imul(0xd2511f53, c0)]
    const [h1, l1] = [high(0xcd9e8d57, c2), Math.imul(0xcd9e8d57, c2)]
    c0 = (h1 ^ c1 ^ k0) >>> 0
    c1 = l1 >>> 0
    c2 = (h0 ^ c3 ^ k1) >>> 0
    c3 = l0 >>> 0
    k0 = (k0 + 0x9e3779b9) >>> 0
    k1 = (k1 + 0xbb67ae85) >>> 0
  }
  return [c0, c1, c2, c3]
}
