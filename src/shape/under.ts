import type { ShapeError, Within } from './shapeError.js'
import type { Apply, ShapeFunction } from './shapeFunction.js'

/**
 * `F` applied to `S` in a place called `Name`. The name replaces a scope that `F` has of its own, in the
 * paths of errors as in the names of parameters: `layers.0`, not `layers.blocks.0`.
 */
export type Under<Name extends string, F extends ShapeFunction, S> = Within<Name, Unscoped<F, Apply<F, S>>>

type Unscoped<F, O> = F extends { readonly scope: infer Own extends string }
  ? O extends ShapeError<infer Says, `${Own}.${infer At}`, infer Remedy> ? ShapeError<Says, At, Remedy> : O
  : O
