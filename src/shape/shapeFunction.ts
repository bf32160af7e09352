import type { AnyShapeError } from './shapeError.js'

/**
 * A function on shapes, as a type: an interface whose `out` is written in terms of `this['in']`.
 * TypeScript has no higher-kinded types; intersecting the interface with `{ in: S }` applies it.
 */
export interface ShapeFunction {
  readonly in: unknown
  readonly out: unknown
}

/** `F` applied to the shape `S`. An error passes through untouched, so that only the first one is reported. */
export type Apply<F extends ShapeFunction, S> = S extends AnyShapeError ? S : (F & { readonly in: S })['out']

/** The shape function that changes nothing. */
export interface Same extends ShapeFunction {
  readonly out: this['in']
}
