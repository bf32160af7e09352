import * as E from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../shape/problem.js'
import { quoted } from './quoted.js'
import type { TensorEntry } from './safetensors.js'
import { storedDtypes } from './storedDtype.js'

/**
 * Checks the entries of a safetensors header against the `dataBytes` bytes that follow the header, and puts them in
 * the order of the data. The format wants each tensor to take shape × dtype bytes, and all of them together to cover
 * the data exactly: no overlap, no hole, nothing left over.
 *
 * Errors: `offsetsBackwards`, `offsetsBeyondData`, `sizeOverflow`, `sizeMismatch`, `tensorsOverlap`, `dataHole`.
 *
 * @example
 * checkLayout([{ name: 'a', dtype: 'F32', shape: [2], begin: 0, end: 8 }], 8, 'x')._tag // 'Right'
 */
export const checkLayout = (
  entries: readonly TensorEntry[],
  dataBytes: number,
  file: string,
): E.Either<Problem, ReadonlyMap<string, TensorEntry>> => {
  for (const entry of entries) {
    const wrong = entryProblem(entry, dataBytes, file)
    if (wrong !== undefined) return E.left(wrong)
  }
  const ordered = [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)
  const hole = (from: number, to: number): Problem =>
    problem('dataHole', `${file}: bytes ${from} to ${to} of the data belong to no tensor`)
  let covered = 0
  let before = ''
  for (const entry of ordered) {
    if (entry.begin > covered) return E.left(hole(covered, entry.begin))
    if (entry.begin < covered) {
      return E.left(problem('tensorsOverlap', `${file}: ${quoted(entry.name)} overlaps ${quoted(before)}`))
    }
    covered = entry.end
    before = entry.name
  }
  if (covered < dataBytes) return E.left(hole(covered, dataBytes))
  return E.right(new Map(ordered.map((entry) => [entry.name, entry])))
}

const entryProblem = (entry: TensorEntry, dataBytes: number, file: string): Problem | undefined => {
  const { name, dtype, shape, begin, end } = entry
  const range = `${quoted(name)} lies at bytes ${begin} to ${end}`
  if (begin > end) return problem('offsetsBackwards', `${file}: ${range}, which ends before it begins`)
  if (end > dataBytes) {
    return problem('offsetsBeyondData', `${file}: ${range}, but the file holds ${dataBytes} bytes of data`)
  }
  // In order and before any zero axis is known, as the reference implementation multiplies.
  let bits: number = storedDtypes[dtype].bits
  for (const size of shape) {
    bits *= size
    if (!Number.isSafeInteger(bits)) {
      return problem('sizeOverflow', `${file}: the shape ${shape.join('×')} of ${quoted(name)} overflows`)
    }
  }
  if (bits !== (end - begin) * 8) {
    return problem('sizeMismatch', `${file}: ${range}, but its shape and dtype need another size`, {
      expected: `${bits / 8} bytes (${dtype}, shape [${shape.join(', ')}])`,
      actual: `${end - begin} bytes`,
    })
  }
  return undefined
}
