import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { pathPattern, patternList, unknownPath, type Patterns } from '../../layers/core/pathPattern.js'
import type { AnyModel, Model } from '../../layers/core/model.js'
import type { Problem } from '../../shape/problem.js'
import { places, type Place } from './places.js'

/**
 * The layers of a model whose paths a pattern means, in the order in which they run, with what arrives at each:
 * `blocks.*.attn`, `**.norm1`, `blocks.{0..5}`, `head`. Layers that other layers make (`attn` in an `encoderBlock`) too.
 *
 * Errors: those of `trace`; `badPattern`; `unknownPath`, with a path that is near.
 *
 * @example
 * select(vitTiny, 'blocks.{0,1}.attn').right.map(place => place.path) // ['blocks.0.attn', 'blocks.1.attn']
 */
export const select = <I, S>(model: Model<I, S>, patterns: Patterns): Either<Problem, readonly Place[]> => {
  const all = places(model as AnyModel)
  return all._tag === 'Left' ? all : chosen('select', all.right.filter(place => place.isNamed), patterns)
}

/** Those of some places that patterns mean, `inside` with all that is inside them. Errors: `badPattern`, `unknownPath`, in the name of `who`. */
export const chosen = (who: string, all: readonly Place[], patterns: Patterns, which: 'at' | 'inside' = 'at'): Either<Problem, readonly Place[]> => {
  const found = new Set<Place>()
  for (const pattern of patternList(patterns)) {
    const matches = pathPattern(pattern)
    if (matches._tag === 'Left') return left({ ...matches.left, sentence: `${who}: ${matches.left.sentence}` })
    const these = all.filter(({ path }) => matches.right(path) || (which === 'inside' && path.split('.').some((_, i, parts) => matches.right(parts.slice(0, i).join('.')))))
    if (these.length === 0) return left(unknownPath(who, pattern, all.map(({ path }) => path)))
    for (const place of these) found.add(place)
  }
  return right(all.filter(place => found.has(place)))
}
