import * as E from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../shape/problem.js'
import { quoted } from './quoted.js'

type Scanned<T> = E.Either<Problem, T>
/** Words for a sentence, put together only if there is something to say: headers may hold a million names. */
type Words = () => string

/** Reads the JSON values a safetensors header may hold, one after another, from a text. */
export interface HeaderScanner {
  /** A JSON string. `what` names it in a sentence (`the dtype of "x"`), `code` is for a value that is none. */
  readonly text: (what: Words, code: string) => Scanned<string>
  /** `[1, 2, 3]`: whole, non-negative, safe integers, at most `limit` of them. */
  readonly integers: (what: Words, limit: number, code: string) => Scanned<readonly number[]>
  /** `{"key": …}`: `visit` reads each value. A key that comes twice is a Problem. */
  readonly members: (what: Words, visit: (key: string) => Scanned<void>) => Scanned<void>
  /** Nothing but white space is left. */
  readonly end: () => Scanned<void>
}

const isWhiteSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
/** A text without escapes, which is nearly every one, needs no decoding. */
const plainText = /"[ !#-[\]-\u007f]*"/y
const numberText = /-?[0-9][0-9.eE+-]*/y
const done: Scanned<void> = E.right(undefined)

/**
 * A scanner for the JSON of safetensors headers. Unlike `JSON.parse` it sees duplicate keys and knows what must come
 * next, so that it needs no recursion (deep nesting is simply not what comes next), builds nothing the format does
 * not allow, and takes time linear in the text. Problems carry the character where the text goes wrong.
 *
 * @example
 * headerScanner('[1, 2]', 'x').integers(() => 'the shape', 8, 'shapeMalformed') // { _tag: 'Right', right: [1, 2] }
 */
export const headerScanner = (header: string, file: string): HeaderScanner => {
  let at = 0

  const next = (): string => {
    while (isWhiteSpace(header.charCodeAt(at))) at++
    return header.charAt(at)
  }
  const seen = (): string => (at >= header.length ? 'the end' : quoted(header.charAt(at)))
  const failed = (code: string, words: string): Scanned<never> =>
    E.left(problem(code, `${file}: ${words}, but character ${at} of the header is ${seen()}`))
  const take = (mark: string, what: Words): Scanned<void> => {
    if (next() !== mark) return failed('headerNotJson', `${what()} needs ${quoted(mark)}`)
    at++
    return done
  }

  const text = (what: Words, code: string): Scanned<string> => {
    if (next() !== '"') return failed(code, `${what()} must be a text`)
    plainText.lastIndex = at
    if (plainText.test(header)) {
      const plain = header.slice(at + 1, plainText.lastIndex - 1)
      at = plainText.lastIndex
      return E.right(plain)
    }
    let close = at + 1
    while (close < header.length && header.charAt(close) !== '"') close += header.charAt(close) === '\\' ? 2 : 1
    try {
      const value = JSON.parse(header.slice(at, close + 1)) as string
      // A lone surrogate has no UTF-8: no such name can be written back.
      if (/\p{Surrogate}/u.test(value)) return failed('headerNotJson', `${what()} must be valid Unicode`)
      at = close + 1
      return E.right(value)
    } catch {
      return failed('headerNotJson', `${what()} is not a valid JSON text`)
    }
  }

  const integer = (what: Words, code: string): Scanned<number> => {
    next()
    numberText.lastIndex = at
    const literal = numberText.exec(header)?.[0] ?? ''
    const value = /^(0|[1-9][0-9]{0,15})$/.test(literal) ? Number(literal) : NaN
    if (!Number.isSafeInteger(value)) {
      const shown = literal === '' ? seen() : literal.slice(0, 40)
      return E.left(problem(code, `${file}: ${what()} must hold whole numbers from 0 to 2^53 - 1, not ${shown}`))
    }
    at += literal.length
    return E.right(value)
  }

  const integers = (what: Words, limit: number, code: string): Scanned<readonly number[]> => {
    if (next() !== '[') return failed(code, `${what()} must be a list of whole numbers`)
    at++
    const values: number[] = []
    if (next() === ']') {
      at++
      return E.right(values)
    }
    for (;;) {
      if (values.length === limit) return failed(code, `${what()} may hold at most ${limit} numbers`)
      const value = integer(what, code)
      if (E.isLeft(value)) return value
      values.push(value.right)
      const mark = next()
      if (mark !== ',' && mark !== ']') return failed('headerNotJson', `${what()} needs "," or "]"`)
      at++
      if (mark === ']') return E.right(values)
    }
  }

  const members = (what: Words, visit: (key: string) => Scanned<void>): Scanned<void> => {
    if (next() !== '{') return failed('headerMalformed', `${what()} must be a JSON object`)
    at++
    if (next() === '}') {
      at++
      return done
    }
    const keys = new Set<string>()
    for (;;) {
      const key = text(() => `a key of ${what()}`, 'headerNotJson')
      if (E.isLeft(key)) return key
      if (keys.has(key.right)) {
        return E.left(problem('duplicateKey', `${file}: ${what()} has the key ${quoted(key.right)} twice`))
      }
      keys.add(key.right)
      const colon = take(':', () => `the key ${quoted(key.right)}`)
      if (E.isLeft(colon)) return colon
      const value = visit(key.right)
      if (E.isLeft(value)) return value
      const mark = next()
      if (mark !== ',' && mark !== '}') return failed('headerNotJson', `${what()} needs "," or "}"`)
      at++
      if (mark === '}') return done
    }
  }

  const end = (): Scanned<void> =>
    next() === '' ? done : failed('headerNotJson', 'only spaces may follow the header\'s closing brace')

  return { text, integers, members, end }
}
