import type { Problem } from '../../shape/problem.js'
import { type Integers, isIntegers, isShape, type Shape, show, type SignalShape } from '../../shape/shape.js'
import { type Expects, misfit, type Misfit } from '../../shape/shapeError.js'

/** On types: `Then` where the signal is a record with some fields, else the sentence that says what it lacks. */
export type IfFields<S, Layer extends string, Names extends readonly string[], Then> = S extends Shape | Integers
  ? Expects<'expectsRecord', Layer, S>
  : Names extends readonly [infer N extends string, ...infer Rest extends readonly string[]]
    ? N extends keyof S ? IfFields<S, Layer, Rest, Then> : Misfit<'noSuchField', { layer: Layer; field: N }, Layer>
    : Then

/** The run-time twin of {@link IfFields}. */
export const lacksFields = (layer: string, shape: SignalShape, names: readonly string[]): Problem | undefined => {
  if (isShape(shape) || isIntegers(shape)) return misfit('expectsRecord', { layer, shape: show(shape) })
  const missing = names.find(name => !Object.hasOwn(shape, name))
  return missing === undefined ? undefined : misfit('noSuchField', { layer, field: missing })
}
