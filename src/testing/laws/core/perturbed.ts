import { mulberry32 } from '../../../weights/mulberry32.js'

/** Copies of one sample, in the k-th of which element `chosen[k]` is another number. */
export const perturbed = (sample: Float32Array, chosen: readonly number[], by = 0.37): Float32Array => {
  const all = new Float32Array(sample.length * chosen.length)
  chosen.forEach((element, k) => {
    all.set(sample, k * sample.length)
    all[k * sample.length + element]! += by
  })
  return all
}

/** Some of the numbers from 0 to `count` − 1, the first and the last always among them. */
export const someOf = (count: number, most: number, seed: number): readonly number[] => {
  if (count <= most) return Array.from({ length: count }, (_, i) => i)
  const draw = mulberry32(seed)
  const chosen = new Set([0, count - 1])
  while (chosen.size < most) chosen.add(draw() % count)
  return [...chosen]
}

/** The numbers from 0 to `count` − 1 in another order, none of them where it was if that can be. */
export const shuffled = (count: number, seed: number): readonly number[] => {
  const draw = mulberry32(seed)
  const order = Array.from({ length: count }, (_, i) => i)
  // Sattolo's algorithm: one cycle through all.
  for (let i = count - 1; i > 0; i--) {
    const j = draw() % i
    ;[order[i], order[j]] = [order[j]!, order[i]!]
  }
  return order
}
