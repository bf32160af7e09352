import type { Apply, ShapeFunction } from '../../shape/shapeFunction.js'

/*
 * What the compiler knows of outputs inside a layer. A shape function may say, beside what comes out, what its inner
 * layers give: as `inner`, in terms of `this['in']` and of a dotted `this['path']` within its own scope; `never` where it
 * knows nothing by that path. Paths are names as parameters have them: `blocks.3.attn`.
 */

/** A shape function that knows inner outputs. */
export interface KnowsInner {
  readonly path: string
  readonly inner: unknown
}

/** What a layer gives at a path within its own scope. */
export type InnerOf<F extends ShapeFunction, S, P> = F extends { readonly inner: unknown } ? (F & { readonly in: S; readonly path: P })['inner'] : never

/** What a layer that was given a name gives at a path: at the name itself its output. */
export type InnerUnder<Name extends string, F extends ShapeFunction, S, P> = P extends Name ? Apply<F, S> : P extends `${Name}.${infer Rest}` ? InnerOf<F, S, Rest> : never

/** What a layer gives at a path, in the scope that it has by itself. */
export type InnerHere<F extends ShapeFunction, S, P> = F extends { readonly scope: infer Own extends string } ? InnerUnder<Own, F, S, P> : InnerOf<F, S, P>
