import * as E from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../shape/problem.js'
import { quoted } from './quoted.js'
import { sizeOf } from '../shape/shape.js'

/**
 * A tensor to be stored: `data` row-major in `shape`. Without a `dtype`, a Float32Array is stored as F32 and an
 * Int32Array as I32; an Int32Array may ask for I64, as PyTorch keeps its counters and index tables.
 */
export type TensorToStore =
  | { readonly name: string; readonly shape: readonly number[]; readonly data: Float32Array; readonly dtype?: 'F32' }
  | { readonly name: string; readonly shape: readonly number[]; readonly data: Int32Array; readonly dtype?: 'I32' | 'I64' }

/** The bytes before the data, and the tensors in the order of the data. */
export interface EncodedLayout {
  readonly header: Uint8Array
  readonly ordered: readonly TensorToStore[]
  /** The size of the whole file in bytes. */
  readonly fileBytes: number
}

/**
 * The dtype a tensor is stored in.
 *
 * @example
 * dtypeToStore({ name: 'a', shape: [0], data: new Int32Array(0) }) // 'I32'
 */
export const dtypeToStore = (tensor: TensorToStore): 'F32' | 'I32' | 'I64' =>
  tensor.dtype ?? (tensor.data instanceof Float32Array ? 'F32' : 'I32')

/** The order of the reference implementation, which keeps every tensor aligned: the last of its enum first. */
const dtypeOrder = ['I64', 'F32', 'I32']

/**
 * Lays a safetensors file out: tensors by dtype and then by name (in the order of their UTF-8), as the reference
 * implementation does, metadata by key; the header is padded with spaces so that the data begin at a multiple of 8.
 * The same tensors therefore always give the same bytes, in whatever order they come.
 *
 * Errors: `duplicateKey`, `nameNotStorable` (`__metadata__`, or not Unicode), `shapeMalformed`, `sizeMismatch`
 * (the data are not as many as the shape says), `dtypeNotStored`, `metadataNotText`, `headerTooLong`.
 *
 * @example
 * encodedLayout([], {})._tag // 'Right'
 */
export const encodedLayout = (
  tensors: readonly TensorToStore[],
  metadata: Readonly<Record<string, string>>,
): E.Either<Problem, EncodedLayout> => {
  const names = new Set<string>()
  for (const tensor of tensors) {
    const wrong = tensorProblem(tensor, names)
    if (wrong !== undefined) return E.left(wrong)
    names.add(tensor.name)
  }
  const texts = Object.entries(metadata).sort(([a], [b]) => byCodePoints(a, b))
  for (const [key, text] of texts) {
    if (typeof text !== 'string' || !isUnicode(key) || !isUnicode(text)) {
      return E.left(problem('metadataNotText', `safetensors: the metadata ${quoted(key)} must be Unicode text`))
    }
  }

  const ordered = [...tensors].sort((a, b) =>
    dtypeOrder.indexOf(dtypeToStore(a)) - dtypeOrder.indexOf(dtypeToStore(b)) || byCodePoints(a.name, b.name))
  // Built as text: an object would put keys such as "0" first and lose "__proto__".
  const members = texts.length === 0 ? []
    : [`"__metadata__":{${texts.map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`).join(',')}}`]
  let at = 0
  for (const tensor of ordered) {
    const dtype = dtypeToStore(tensor)
    const end = at + tensor.data.length * (dtype === 'I64' ? 8 : 4)
    members.push(`${JSON.stringify(tensor.name)}:{"dtype":"${dtype}","shape":[${tensor.shape.join(',')}],` +
      `"data_offsets":[${at},${end}]}`)
    at = end
  }
  const json = new TextEncoder().encode(`{${members.join(',')}}`)
  const length = Math.ceil(json.length / 8) * 8
  if (length > 100_000_000) {
    return E.left(problem('headerTooLong', `safetensors: a header of ${length} bytes is over the format's 100000000`))
  }
  const header = new Uint8Array(8 + length).fill(0x20)
  const view = new DataView(header.buffer)
  view.setUint32(0, length, true)
  view.setUint32(4, 0, true)
  header.set(json, 8)
  return E.right({ header, ordered, fileBytes: header.length + at })
}

const isUnicode = (text: string): boolean => !/\p{Surrogate}/u.test(text)

/** UTF-8 sorts like code points; JavaScript's `<` does not, above U+FFFF. */
const byCodePoints = (a: string, b: string): number => {
  let at = 0
  while (at < a.length && at < b.length && a.charCodeAt(at) === b.charCodeAt(at)) at++
  if (at > 0 && isLowSurrogate(a, at) && isLowSurrogate(b, at)) at--
  return (a.codePointAt(at) ?? -1) - (b.codePointAt(at) ?? -1)
}
const isLowSurrogate = (text: string, at: number): boolean => (text.charCodeAt(at) & 0xfc00) === 0xdc00

const tensorProblem = ({ name, shape, data, dtype }: TensorToStore, names: ReadonlySet<string>): Problem | undefined => {
  if (names.has(name)) return problem('duplicateKey', `safetensors: two tensors are called ${quoted(name)}`)
  if (name === '__metadata__' || !isUnicode(name)) {
    return problem('nameNotStorable', `safetensors: no tensor can be stored under the name ${quoted(name)}`)
  }
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0)) {
    return problem('shapeMalformed', `safetensors: ${quoted(name)} has the impossible shape [${shape.join(', ')}]`)
  }
  const count = sizeOf(shape)
  if (count !== data.length) {
    return problem('sizeMismatch', `safetensors: ${quoted(name)} has a shape and data of different sizes`, {
      expected: `${count} values (shape [${shape.join(', ')}])`,
      actual: `${data.length} values`,
    })
  }
  if (data instanceof Float32Array ? dtype !== undefined && dtype !== 'F32' : dtype === ('F32' as string)) {
    return problem('dtypeNotStored', `safetensors: ${quoted(name)} cannot be stored as ${dtype}`)
  }
  return undefined
}
