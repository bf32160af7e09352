import { left, right } from 'fp-ts/lib/Either.js'
import { nearest } from '../../shape/nearest.js'
import { problem } from '../../shape/problem.js'
import type { Tokenizer } from './tokenizer.js'

/**
 * A text as its words in small letters, for a vocabulary of one's own: word `i` of the list has number `i + 1`, 0 is left
 * to fill up with, and the largest number, one more than there are words, ends a text. Errors of `encode`: `unknownWord`.
 *
 * @example
 * wordTokenizer(['a', 'cat', 'dog']).encode('A cat.').right // [1, 2, 4]
 */
export const wordTokenizer = (words: readonly string[]): Tokenizer => {
  const numbers = new Map(words.map((word, i) => [word.toLowerCase(), i + 1]))
  return {
    encode: text => {
      const found = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []
      const unknown = found.find(word => !numbers.has(word))
      if (unknown === undefined) return right([...found.map(word => numbers.get(word)!), words.length + 1])
      const near = nearest(unknown, [...numbers.keys()])
      return left(problem('unknownWord', `the vocabulary of ${words.length} words has no '${unknown}'`, near === undefined ? {} : { remedy: `did you mean '${near}'?` }))
    },
  }
}
