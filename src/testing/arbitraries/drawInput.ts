import type { Takes } from '../../layers/core/choice.js'
import type { InputSpec } from '../../layers/core/model.js'
import type { Choices } from './choices.js'

/** What a model may begin with. */
export type InputKind = 'image' | 'tokens' | 'vector' | 'integers' | 'record'

/** Every kind, images and tokens, on which most layers work, several times. */
const usualKinds: readonly InputKind[] = ['image', 'image', 'image', 'tokens', 'tokens', 'tokens', 'vector', 'integers', 'record']

const sides = [4, 5, 6, 7, 8, 9, 10, 12] as const
const tokenCounts = [4, 5, 6, 7, 9, 11, 12, 13] as const
const channels = [1, 2, 3, 4, 6, 8, 10, 12, 15, 16, 30, 32] as const

/**
 * An input whose sizes all differ where they may, so that axes taken for each other show. Sizes are small, and
 * what layers divide by (2, 3, 4, 5) divides some of them.
 */
export const drawInput = (choices: Choices, { inputs = usualKinds, dims }: { readonly inputs?: readonly InputKind[]; readonly dims?: readonly number[] } = {}): InputSpec => {
  const kind = choices.pick(inputs)
  if (kind === 'record') {
    const kinds = inputs.filter(k => k !== 'record')
    const alike = choices.chance(0.5) ? drawInput(choices, { inputs: ['tokens', 'vector'] }) : undefined
    const names = choices.pick([['a', 'b'], ['text', 'image'], ['x', 'y', 'z']] as const)
    return { fields: Object.fromEntries(names.map(name => [name, alike ?? drawInput(choices, { inputs: kinds.length === 0 ? ['tokens'] : kinds })])) }
  }
  const other = (from: readonly number[], taken: readonly number[]): number => {
    const free = from.filter(size => !taken.includes(size))
    return choices.pick(free.length === 0 ? from : free)
  }
  if (kind === 'image') {
    const height = choices.pick(sides)
    // Some layers take squares alone.
    const width = choices.chance(0.1) ? height : other(sides, [height])
    return { shape: [height, width, other(dims ?? channels, [height, width])], dtype: 'float32' }
  }
  const count = choices.pick(tokenCounts)
  if (kind === 'integers') return { shape: choices.chance(0.8) ? [count] : [other([2, 3], [count]), count], dtype: 'int32' }
  const dim = other(dims ?? channels.slice(3), [count])
  return { shape: kind === 'tokens' ? [count, dim] : [dim], dtype: 'float32' }
}

/** A record as a layer takes it: equal letters are equal sizes, others differ. */
export const drawTaken = (choices: Choices, takes: Takes): InputSpec => {
  const sizes = new Map<string, number>()
  const sizeOf = (letter: string): number => {
    const known = sizes.get(letter)
    if (known !== undefined) return known
    const free = tokenCounts.filter(size => ![...sizes.values()].includes(size))
    const drawn = choices.pick(free)
    sizes.set(letter, drawn)
    return drawn
  }
  return { fields: Object.fromEntries(Object.entries(takes).map(([name, field]) => [name, 'integers' in field ? { shape: field.integers.map(sizeOf), dtype: 'int32' } : { shape: field.map(sizeOf), dtype: 'float32' }])) }
}
