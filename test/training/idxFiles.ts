import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Dataset } from '../../src/training/data/dataset.js'
import { valueOf } from '../support/either.js'

const header = (kind: number, sizes: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(4 + 4 * sizes.length)
  bytes.writeUInt32BE(0x800 + kind)
  sizes.forEach((size, i) => bytes.writeUInt32BE(size, 4 + 4 * i))
  return bytes
}

/** Writes grey images that lie in memory as two IDX files, `NAME-images` and `NAME-labels`. */
export const writeIdx = async (folder: string, name: string, { size, labels, item }: Dataset): Promise<void> => {
  const images = []
  for (let i = 0; i < size; i++) images.push(valueOf(await item(i)()).image as { readonly height: number; readonly width: number; readonly pixels: Uint8Array })
  const { height, width } = images[0]!
  writeFileSync(join(folder, `${name}-images`), Buffer.concat([header(3, [size, height, width]), ...images.map(({ pixels }) => pixels)]))
  writeFileSync(join(folder, `${name}-labels`), Buffer.concat([header(1, [size]), Uint8Array.from(labels)]))
}
