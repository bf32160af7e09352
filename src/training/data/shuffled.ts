import type { Random } from '../random.js'

/**
 * What comes along, in random order as far as a buffer of that size allows: each that comes takes the place of a
 * drawn one, which goes out.
 *
 * @example
 * await shuffled([5, 6], 2, { below: () => 0, permutation: () => [1, 0] }).next() // { value: 6, done: false }
 */
export async function* shuffled<A>(source: AsyncIterable<A> | Iterable<A>, size: number, random: Pick<Random, 'below' | 'permutation'>): AsyncGenerator<A> {
  const buffer: A[] = []
  for await (const each of source) {
    if (buffer.length < size) buffer.push(each)
    else {
      const drawn = random.below(size)
      yield buffer[drawn]!
      buffer[drawn] = each
    }
  }
  for (const i of random.permutation(buffer.length)) yield buffer[i]!
}
