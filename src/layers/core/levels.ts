import { fieldNames, type FieldNames } from '../../shape/fields.js'
import type { Problem } from '../../shape/problem.js'
import { type Integers, isIntegers, isShape, type Shape, show, type Show, type SignalShape } from '../../shape/shape.js'
import { type Expects, misfit, type Misfit } from '../../shape/shapeError.js'

/** On types: `Then` where the signal is a record of maps, else the sentence that says what it is not. */
export type IfLevels<S, Layer extends string, Then> = S extends Shape | Integers
  ? Expects<'expectsRecord', Layer, S>
  : FieldNames<S> extends infer Names extends readonly unknown[] ? (Names extends readonly [] ? Misfit<'noLevels', { layer: Layer }, Layer> : AllMaps<S, Layer, Names, Then>) : never
type AllMaps<S, Layer extends string, Names extends readonly unknown[], Then> = Names extends readonly [infer N extends keyof S & string, ...infer Rest]
  ? S[N] extends readonly [number, number, number] ? AllMaps<S, Layer, Rest, Then> : Misfit<'levelExpectsMap', { layer: Layer; field: N; shape: Show<S[N]> }, Layer>
  : Then

/** The finest level: the first in alphabetical order. */
export type Finest<S> = FieldNames<S> extends readonly [infer N extends keyof S, ...unknown[]] ? S[N] : never

/** The run-time twin of {@link IfLevels}. */
export const notLevels = (layer: string, shape: SignalShape): Problem | undefined => {
  if (isShape(shape) || isIntegers(shape)) return misfit('expectsRecord', { layer, shape: show(shape) })
  const names = fieldNames(shape)
  const odd = names.find(name => !isShape(shape[name]!) || (shape[name] as Shape).length !== 3)
  return names.length === 0 ? misfit('noLevels', { layer }) : odd === undefined ? undefined : misfit('levelExpectsMap', { layer, field: odd, shape: show(shape[odd]!) })
}
