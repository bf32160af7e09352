/**
 * The 32-bit FNV-1a hash of a text's UTF-8 bytes, an unsigned integer below 2³².
 * Source: Fowler, Noll, Vo; draft-eastlake-fnv, offset basis 0x811C9DC5, prime 0x01000193.
 *
 * @example
 * fnv1a32('open|blocks.0.attn.qkv.weight') // 2050250898
 */
export const fnv1a32 = (text: string): number => {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
