/**
 * The mask of one random stream at one step: `1/keep` with probability `keep`, else 0. A counter-based
 * generator: element `i` depends on (seed, step, stream, i) and nothing else, so masks do not depend on
 * order, backend or what ran before.
 *
 * The key is FNV-1a of `seed|step|stream`; each element is that key plus its index times the golden ratio,
 * through the finaliser of MurmurHash3 twice (Appleby, 2011).
 */
export const dropMaskValues = (stream: string, seed: number, step: number, keep: number, count: number): Float32Array => {
  let key = 0x811c9dc5
  for (const byte of new TextEncoder().encode(`${seed}|${step}|${stream}`)) key = Math.imul(key ^ byte, 0x01000193)
  const threshold = keep * 2 ** 32
  const kept = 1 / keep
  const mask = new Float32Array(count)
  for (let i = 0; i < count; i++) mask[i] = mixed(mixed((key + Math.imul(i, 0x9e3779b9)) | 0) ^ key) < threshold ? kept : 0
  return mask
}

const mixed = (x: number): number => {
  let h = x
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
