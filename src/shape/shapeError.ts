import { problem, type Problem } from './problem.js'
import type { Show } from './shape.js'
import { bothSides, sentence, type Sentence, type SentenceCode } from './sentence.js'

/**
 * What a shape function gives where a layer does not fit. It carries the sentence and the path in the
 * one property the compiler names when it refuses the argument.
 */
export interface ShapeError<Says extends string, At extends string = string, Remedy extends string = string> {
  readonly shapeError: readonly [Says, At, Remedy]
}

/** Any shape error. */
export type AnyShapeError = ShapeError<string>

/** The error of a layer: its sentence, filled in, at the layer's own name. */
export type Misfit<C extends SentenceCode, A extends Readonly<Record<string, string | number>>, At extends string, Remedy extends string = ''> =
  ShapeError<Sentence<C, A>, At, Remedy>

/** The error of a layer that expects another kind of signal than `S`. */
export type Expects<C extends SentenceCode, Layer extends string, S> = Misfit<C, { layer: Layer; shape: Show<S> }, Layer>

/** The error seen from one level further out: `attention` inside `blocks.0` is at `blocks.0 › attention`. */
export type Within<Scope extends string, E> = E extends ShapeError<infer Says, infer At, infer Remedy>
  ? ShapeError<Says, Scope extends '' ? At : At extends `${infer Scopes} › ${infer Leaf}` ? `${Scope}.${Scopes} › ${Leaf}` : `${Scope} › ${At}`, Remedy>
  : E

/** The same error at run time, as a value. */
export const misfit = (
  code: SentenceCode,
  filling: Readonly<Record<string, string | number>>,
  more: Partial<Omit<Problem, 'code' | 'sentence'>> = {},
): Problem => problem(code, sentence(code, filling), { ...bothSides(code, filling), ...more })
