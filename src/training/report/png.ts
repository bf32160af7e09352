/** Compresses into zlib's format; `deflateSync` of `node:zlib`, which is not imported here so that this loads anywhere. */
export type Deflate = (bytes: Uint8Array) => Uint8Array

/**
 * The bytes of a PNG (W3C, Portable Network Graphics, third edition): 8 bits, grey for one channel, RGB for three, RGBA
 * for four.
 *
 * @example
 * png({ height: 1, width: 1, channels: 1, pixels: Uint8Array.of(7) }, bytes => bytes).subarray(1, 4) // Uint8Array.of(80, 78, 71)
 */
export const png = ({ height, width, channels, pixels }: { readonly height: number; readonly width: number; readonly channels: number; readonly pixels: Uint8Array }, deflate: Deflate): Uint8Array => {
  const header = new Uint8Array(13)
  const view = new DataView(header.buffer)
  view.setUint32(0, width)
  view.setUint32(4, height)
  header.set([8, channels === 1 ? 0 : channels === 3 ? 2 : 6], 8)
  const row = width * channels
  // Each row begins with its filter; 0 is none.
  const rows = new Uint8Array(height * (row + 1))
  for (let y = 0; y < height; y++) rows.set(pixels.subarray(y * row, (y + 1) * row), y * (row + 1) + 1)
  return joined([Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), chunk('IHDR', header), chunk('IDAT', deflate(rows)), chunk('IEND', new Uint8Array(0))])
}

const joined = (parts: readonly Uint8Array[]): Uint8Array => {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  parts.reduce((at, part) => (all.set(part, at), at + part.length), 0)
  return all
}

const chunk = (kind: string, data: Uint8Array): Uint8Array => {
  const body = joined([new TextEncoder().encode(kind), data])
  const ends = new DataView(new ArrayBuffer(8))
  ends.setUint32(0, data.length)
  ends.setUint32(4, crc32(body))
  return joined([new Uint8Array(ends.buffer, 0, 4), body, new Uint8Array(ends.buffer, 4, 4)])
}

/** The check sum of PNG's annex D. */
const crc32 = (bytes: Uint8Array): number => {
  let sum = ~0
  for (const byte of bytes) {
    sum ^= byte
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0)
  }
  return ~sum >>> 0
}
