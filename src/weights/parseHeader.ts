import * as E from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../shape/problem.js'
import { headerScanner } from './headerScanner.js'
import { quoted } from './quoted.js'
import type { TensorEntry } from './safetensors.js'
import { isStoredDtype, type StoredDtype } from './storedDtype.js'

/** What the JSON of a safetensors header says, before its offsets are checked against the file. */
export interface Header {
  readonly metadata: Readonly<Record<string, string>>
  readonly entries: readonly TensorEntry[]
}

/** More axes than any framework makes (PyTorch and NumPy stop at 64): a bound on what a hostile header can ask for. */
const maxRank = 64

const metadataKey = '__metadata__'
const done: E.Either<Problem, void> = E.right(undefined)

/**
 * Reads the JSON of a safetensors header: one object of `name: {dtype, shape, data_offsets}` and at most one
 * `__metadata__: {text: text}`. `bytes` is the header without its length, `file` the name used in sentences.
 *
 * Errors: `headerNotUtf8`, `headerNotJson`, `headerMalformed` (JSON, but not this object), `duplicateKey`,
 * `dtypeUnknown`, `shapeMalformed`, `offsetsMalformed`, `metadataNotText`.
 *
 * @example
 * parseHeader(new TextEncoder().encode('{}'), 'x')._tag // 'Right'
 */
export const parseHeader = (bytes: Uint8Array, file: string): E.Either<Problem, Header> => {
  const text = decodeUtf8(bytes)
  if (text === undefined) return E.left(problem('headerNotUtf8', `${file}: the header is not UTF-8 text`))
  // The format: "The header data MUST begin with a { character (0x7B)".
  if (!text.startsWith('{')) {
    const first = text === '' ? 'nothing' : quoted(String.fromCodePoint(text.codePointAt(0)!))
    return E.left(problem('headerMalformed', `${file}: the header must be a JSON object, but begins with ${first}`))
  }

  const scanner = headerScanner(text, file)
  const metadata = Object.create(null) as Record<string, string>
  const entries: TensorEntry[] = []

  const readMetadata = (): E.Either<Problem, void> =>
    scanner.members(() => metadataKey, (key) => {
      const value = scanner.text(() => `${metadataKey} ${quoted(key)}`, 'metadataNotText')
      if (E.isRight(value)) metadata[key] = value.right
      return E.isRight(value) ? done : value
    })

  const readEntry = (name: string): E.Either<Problem, void> => {
    let dtype: StoredDtype | undefined
    let shape: readonly number[] | undefined
    let offsets: readonly number[] | undefined
    const read = scanner.members(() => quoted(name), (key) => {
      if (key === 'dtype') {
        const value = scanner.text(() => `the dtype of ${quoted(name)}`, 'headerMalformed')
        if (E.isLeft(value)) return value
        if (!isStoredDtype(value.right)) {
          return E.left(problem('dtypeUnknown', `${file}: ${quoted(name)} has the unknown dtype ${quoted(value.right)}`))
        }
        dtype = value.right
        return done
      }
      if (key === 'shape') {
        const value = scanner.integers(() => `the shape of ${quoted(name)}`, maxRank, 'shapeMalformed')
        if (E.isRight(value)) shape = value.right
        return E.isRight(value) ? done : value
      }
      if (key === 'data_offsets') {
        const value = scanner.integers(() => `data_offsets of ${quoted(name)}`, 2, 'offsetsMalformed')
        if (E.isRight(value)) offsets = value.right
        return E.isRight(value) ? done : value
      }
      return E.left(problem('headerMalformed', `${file}: ${quoted(name)} has the unknown field ${quoted(key)}`))
    })
    if (E.isLeft(read)) return read
    if (dtype === undefined || shape === undefined || offsets === undefined) {
      const missing = dtype === undefined ? 'dtype' : shape === undefined ? 'shape' : 'data_offsets'
      return E.left(problem('headerMalformed', `${file}: ${quoted(name)} has no ${missing}`))
    }
    const [begin, end] = offsets
    if (begin === undefined || end === undefined) {
      return E.left(problem('offsetsMalformed', `${file}: data_offsets of ${quoted(name)} must be two numbers`))
    }
    entries.push({ name, dtype, shape, begin, end })
    return done
  }

  const read = scanner.members(() => 'the header', (key) => (key === metadataKey ? readMetadata() : readEntry(key)))
  if (E.isLeft(read)) return read
  const end = scanner.end()
  return E.isLeft(end) ? end : E.right({ metadata: Object.freeze(metadata), entries })
}

const decodeUtf8 = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}
