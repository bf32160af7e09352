import { right } from 'fp-ts/lib/Either.js'
import type { Tokenizer } from './tokenizer.js'

/**
 * A text as its bytes in UTF-8, each one more than it is, and 257 for the end; 0 is left to fill up with. So any text in
 * any language has numbers, of a vocabulary of 258.
 *
 * @example
 * byteTokenizer.encode('a é').right // [98, 33, 196, 170, 257]
 */
export const byteTokenizer: Tokenizer = { encode: text => right([...Array.from(new TextEncoder().encode(text), byte => byte + 1), 257]) }
