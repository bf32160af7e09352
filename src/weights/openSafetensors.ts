import type { FileHandle } from 'node:fs/promises'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../shape/problem.js'
import { reasonOf } from '../shape/reasonOf.js'
import { checkLayout } from './checkLayout.js'
import { headerLength } from './headerLength.js'
import { parseHeader } from './parseHeader.js'
import type { Safetensors } from './safetensors.js'
import { tensorReader } from './tensorReader.js'

/**
 * Opens a safetensors file on disk (Node only; the module itself loads anywhere). The header is read at once, each
 * tensor when asked for, by positioned reads of 4 MiB: the file is never in memory as a whole. The result keeps the
 * file open until its `close`.
 *
 * Errors: `fileUnreadable` (no such file, no permission, not a regular file), and those of `parseSafetensors`.
 *
 * @example
 * typeof openSafetensors('vit.safetensors') // 'function'
 */
export const openSafetensors = (path: string): TaskEither<Problem, Safetensors> => async () => {
  let file: FileHandle | undefined
  try {
    const { open, stat } = await import('node:fs/promises')
    // Before opening: opening a named pipe would wait for a writer.
    if (!(await stat(path)).isFile()) return E.left(problem('fileUnreadable', `${path}: not a regular file`))
    file = await open(path, 'r')
    const opened = await readIndex(file, path)
    if (E.isLeft(opened)) await file.close()
    return opened
  } catch (cause) {
    await file?.close().catch(() => {})
    return E.left(problem('fileUnreadable', `${path}: ${reasonOf(cause)}`))
  }
}

const readIndex = async (file: FileHandle, path: string): Promise<E.Either<Problem, Safetensors>> => {
  const { size } = await file.stat()
  const length = headerLength(await readExactly(file, 0, Math.min(8, size)), size, path)
  if (E.isLeft(length)) return length
  const start = 8 + length.right
  const header = parseHeader(await readExactly(file, 8, length.right), path)
  if (E.isLeft(header)) return header
  const tensors = checkLayout(header.right.entries, size - start, path)
  if (E.isLeft(tensors)) return tensors
  let closing: Promise<void> | undefined
  return E.right({
    metadata: header.right.metadata,
    tensors: tensors.right,
    read: tensorReader(tensors.right, (at, count, into) => {
      if (closing !== undefined) return Promise.reject(new Error('the file has been closed'))
      return readExactly(file, start + at, count, into)
    }, path),
    close: () => (closing ??= file.close()),
  })
}

/** A read may return fewer bytes than asked for, so it is repeated; no bytes at all mean the file has shrunk. */
const readExactly = async (file: FileHandle, from: number, length: number, bytes: Uint8Array = new Uint8Array(length)): Promise<Uint8Array> => {
  let done = 0
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, from + done)
    if (bytesRead === 0) throw new Error(`it ends at byte ${from + done}`)
    done += bytesRead
  }
  return bytes
}
