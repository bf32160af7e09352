import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { AnyLayer } from '../../layers/core/layer.js'
import type { AnyModel, Model } from '../../layers/core/model.js'
import type { Patterns } from '../../layers/core/pathPattern.js'
import { shapeOfSignal } from '../../layers/core/refuse.js'
import { problem, type Problem } from '../../shape/problem.js'
import { isIntegers, isShape, showFields, type Shape, type SignalShape } from '../../shape/shape.js'
import { trace } from '../trace.js'
import { headsFor } from './heads.js'
import { replaced } from './rewrite.js'

/** Options of {@link replaceHead}. */
export interface ReplaceHeadOptions {
  /** Which layers are the head, where the model does not end with one. */
  readonly at?: Patterns
}

/** What a model gives once it tells K classes apart: the last axis of every tensor becomes K. */
export type WithClasses<S, K extends number> = S extends readonly [...infer Rest extends readonly number[], number]
  ? readonly [...Rest, K]
  : S extends Shape ? S : { readonly [Name in keyof S]: WithClasses<S[Name], K> }

/**
 * A model with another number of classes: its head, or both heads of a distilled one, gives that many. Names stay; the
 * new weights are to be initialised (`adaptWeights` does so). `Model<I, [1000]> → Model<I, [classes]>`.
 *
 * Errors: those of `trace`; `noHead` (the model does not end with a linear layer: say `at` which path it has its head);
 * `badPattern`, `unknownPath`; `madeInside`; `notASize`.
 *
 * @example
 * replaceHead(vitTiny, 10) // Either<Problem, Model<[224, 224, 3], [10]>>
 */
export const replaceHead = <I, S, const K extends number>(m: Model<I, S>, classes: K, { at }: ReplaceHeadOptions = {}): Either<Problem, Model<I, WithClasses<S, K>>> => {
  const found = headsFor('replaceHead', m as AnyModel, at)
  if (found._tag === 'Left') return found
  const made = replaced(m as AnyModel, 'replaceHead', found.right, ({ layer }) => withOutputs(layer, classes))
  if (made._tag === 'Left') return made
  const [before, after] = [trace(m as AnyModel), trace(made.right)]
  if (before._tag === 'Left') return before
  if (after._tag === 'Left') return after
  const [expected, actual] = [withClasses(shapeOfSignal(before.right.output), classes), shapeOfSignal(after.right.output)].map(showFields)
  return expected === actual
    ? right(made.right as unknown as Model<I, WithClasses<S, K>>)
    : left(problem('noHead', `replaceHead: with ${classes} outputs of ${found.right.map(({ path }) => `'${path}'`).join(', ')} the model gives ${actual}, not ${expected}`, { expected: expected!, actual: actual!, remedy: 'its classes come from elsewhere: say at which path the head is' }))
}

const withOutputs = ({ definition: { kind, make, args } }: AnyLayer, dim: number): AnyLayer =>
  kind === 'linear' ? make(...([dim, ...args.slice(1)] as never[])) : make(...([{ ...(args[0] as object), dim }] as never[]))

/** The run-time twin of {@link WithClasses}. */
const withClasses = (shape: SignalShape, classes: number): SignalShape =>
  isShape(shape) ? [...shape.slice(0, -1), classes] : isIntegers(shape) ? shape : Object.fromEntries(Object.entries(shape).map(([name, field]) => [name, withClasses(field, classes)]))
