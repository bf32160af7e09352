import type { DType, Integers, Shape, SignalShape } from '../../shape/shape.js'
import type { AnyLayer } from './layer.js'

declare const signature: unique symbol
const isModelSymbol: unique symbol = Symbol.for('vitrail.model') as never

/** What a model is fed: the shape and element type of one tensor, or a record of them. */
export type InputSpec = { readonly shape: Shape; readonly dtype: DType } | { readonly fields: Readonly<Record<string, InputSpec>> }

/**
 * An architecture: an immutable value, from an input of shape `I` to an output of shape `S` (batch axis
 * excluded). It holds no weights and has run nothing; it is read in many ways: traced, counted, compiled.
 */
export interface Model<I, S> {
  readonly [signature]: (input: I) => S
  readonly [isModelSymbol]: true
  readonly input: InputSpec
  readonly layers: readonly AnyLayer[]
}

declare const made: unique symbol
/** What recipes say of their models beside shapes: the layer that a model is, whose inner outputs the compiler knows (see `features`). */
export interface MadeOf<L extends AnyLayer> {
  readonly [made]?: L
}

/** A model of any shapes. */
export type AnyModel = Model<never, unknown>

/** The output shape of a model, as the compiler knows it. */
export type OutputOf<M extends AnyModel> = M extends Model<never, infer S> ? S : never

/** A model of some layers over an input; what layers and `pipe` build for you. What a function gives is made once somebody looks. */
export const model = <I, S>(input: InputSpec, layers: readonly AnyLayer[] | (() => readonly AnyLayer[])): Model<I, S> => {
  if (typeof layers !== 'function') return Object.freeze({ [isModelSymbol]: true as const, input, layers: Object.freeze([...layers]) }) as unknown as Model<I, S>
  let made: readonly AnyLayer[] | undefined
  return Object.freeze({ [isModelSymbol]: true as const, input, get layers() { return (made ??= Object.freeze([...layers()])) } }) as unknown as Model<I, S>
}

/** Whether a value is a model. */
export const isModel = (value: unknown): value is AnyModel => typeof value === 'object' && value !== null && (value as AnyModel)[isModelSymbol] === true

/**
 * Begins a recipe with one tensor of floats. The batch axis is implicit; images are height, width, channels.
 *
 * @example
 * pipe(input(224, 224, 3), patchEmbed({ patchSize: 16, dim: 192 })) // Model<[224, 224, 3], [14, 14, 192]>
 */
export const input = <const S extends Shape>(...shape: S): Model<S, S> => model({ shape: Object.freeze(shape), dtype: 'float32' }, [])

/**
 * Begins a recipe with one tensor of whole numbers, such as token ids.
 *
 * @example
 * pipe(integerInput(77), embedding({ vocabularySize: 49408, dim: 512 })) // Model<Integers<[77]>, [77, 512]>
 */
export const integerInput = <const S extends Shape>(...shape: S): Model<Integers<S>, Integers<S>> => model({ shape: Object.freeze(shape), dtype: 'int32' }, [])

type AnyInput = Model<never, SignalShape>

/**
 * Begins a recipe with a record of inputs.
 *
 * @example
 * inputs({ image: input(224, 224, 3), text: integerInput(77) }) // Model<{ image: [224, 224, 3], text: Integers<[77]> }, …>
 */
export const inputs = <const R extends Readonly<Record<string, AnyInput>>>(
  fields: R,
  // Written out, not as an alias: the compiler shows an alias as what it was made of.
): Model<{ readonly [K in keyof R]: OutputOf<R[K]> }, { readonly [K in keyof R]: OutputOf<R[K]> }> =>
  model({ fields: Object.freeze(Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.input]))) }, [])
