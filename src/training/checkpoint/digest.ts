import { right, type Either } from 'fp-ts/lib/Either.js'
import type { Problem } from '../../shape/problem.js'
import { encodeElements } from '../../weights/encodeElements.js'
import { dtypeToStore, encodedLayout, type TensorToStore } from '../../weights/encodedLayout.js'

/** What stands where the digest will be while it is computed. */
export const blank = '0'.repeat(64)

const chunkElements = 1 << 20

/**
 * The SHA-256 of the safetensors file of some tensors and metadata, of which `sha256` is {@link blank}: a file can say
 * its own digest. In hexadecimal. Node only.
 *
 * Errors: those of `encodedLayout`.
 *
 * @example
 * const digest = await digestOf([], {}) // Either<Problem, string>
 */
export const digestOf = async (tensors: readonly TensorToStore[], metadata: Readonly<Record<string, string>>): Promise<Either<Problem, string>> => {
  const layout = encodedLayout(tensors, { ...metadata, sha256: blank })
  if (layout._tag === 'Left') return layout
  const { createHash } = await import('node:crypto')
  const hash = createHash('sha256').update(layout.right.header)
  for (const tensor of layout.right.ordered)
    for (let from = 0; from < tensor.data.length; from += chunkElements) hash.update(encodeElements(tensor.data, dtypeToStore(tensor), from, Math.min(from + chunkElements, tensor.data.length)))
  return right(hash.digest('hex'))
}

/**
 * The digest that a file should say, computed from its bytes. Node only; rejects where the file cannot be read.
 *
 * @param said the digest it says
 */
export const digestOfFile = async (path: string, said: string): Promise<string> => {
  const [{ createHash }, { open }] = await Promise.all([import('node:crypto'), import('node:fs/promises')])
  const file = await open(path, 'r')
  try {
    const hash = createHash('sha256')
    // The header holds the digest; quotes inside texts are escaped, so the words stand there once.
    const length = new Uint8Array(8)
    await file.read(length, 0, 8, 0)
    const header = Buffer.alloc(8 + new DataView(length.buffer).getUint32(0, true))
    await file.read(header, 0, header.length, 0)
    const at = header.indexOf(`"sha256":"${said}"`)
    if (at >= 0) header.write(blank, at + '"sha256":"'.length, 'latin1')
    hash.update(header)
    for await (const chunk of file.createReadStream({ start: header.length, autoClose: false })) hash.update(chunk as Buffer)
    return hash.digest('hex')
  } finally {
    await file.close()
  }
}
