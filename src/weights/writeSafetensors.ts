import type { FileHandle } from 'node:fs/promises'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../shape/problem.js'
import { reasonOf } from '../shape/reasonOf.js'
import { encodeElements } from './encodeElements.js'
import { dtypeToStore, encodedLayout, type EncodedLayout, type TensorToStore } from './encodedLayout.js'

/** How many elements are encoded and written at once. */
const chunkElements = 1 << 20

/**
 * Writes a safetensors file (Node only; the module itself loads anywhere), the same bytes as `encodeSafetensors`.
 * The data are streamed, and the file appears whole or not at all: everything goes to a temporary file in the same
 * folder, which is flushed to the disk and then renamed over `path`. Upon failure the temporary is removed and
 * whatever was at `path` is untouched. A symbolic link at `path` is kept, and the file it points to replaced.
 *
 * Errors: those of `encodedLayout`, and `fileUnwritable`.
 *
 * @example
 * typeof writeSafetensors('vit.safetensors', [], { step: '100' }) // 'function'
 */
export const writeSafetensors = (
  path: string,
  tensors: readonly TensorToStore[],
  metadata: Readonly<Record<string, string>> = {},
): TaskEither<Problem, void> => async () => {
  const layout = encodedLayout(tensors, metadata)
  if (E.isLeft(layout)) return layout
  try {
    const { realpath } = await import('node:fs/promises')
    await replaceFile(await realpath(path).catch(() => path), layout.right)
    return E.right(undefined)
  } catch (cause) {
    return E.left(problem('fileUnwritable', `${path}: cannot be written: ${reasonOf(cause)}`))
  }
}

const replaceFile = async (path: string, layout: EncodedLayout): Promise<void> => {
  const { open, rename, unlink } = await import('node:fs/promises')
  const { dirname, join } = await import('node:path')
  const folder = dirname(path)
  const temporary = join(folder, `.vitrail-${globalThis.crypto.randomUUID()}.tmp`)
  const file = await open(temporary, 'wx')
  try {
    try {
      await writeLayout(file, layout)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (cause) {
    await unlink(temporary).catch(() => {})
    throw cause
  }
  // The new name is only safe once its folder is flushed too; not every system lets one do that.
  const opened = await open(folder, 'r').catch(() => undefined)
  await opened?.sync().catch(() => {})
  await opened?.close().catch(() => {})
}

const writeLayout = async (file: FileHandle, { header, ordered }: EncodedLayout): Promise<void> => {
  // `writeFile` on a handle writes from the current position on, and everything it is given.
  await file.writeFile(header)
  for (const tensor of ordered) {
    for (let from = 0; from < tensor.data.length; from += chunkElements) {
      const to = Math.min(from + chunkElements, tensor.data.length)
      await file.writeFile(encodeElements(tensor.data, dtypeToStore(tensor), from, to))
    }
  }
}
