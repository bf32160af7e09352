import type { Apply, ShapeFunction } from '../../shape/shapeFunction.js'
import type { Under } from '../../shape/under.js'
import type { InnerOf, InnerUnder } from './inner.js'
import type { AnyLayer } from './layer.js'

/** A layer on a field of a record: in the scope of the field's name, unless it is `unnamed`. */
export type OnField<Name extends string, F extends ShapeFunction, S> = F extends { readonly isUnnamed: true } ? Apply<F, S> : Under<Name, F, S>

/** What such a layer gives at a path. */
export type InnerOnField<Name extends string, F extends ShapeFunction, S, P> = F extends { readonly isUnnamed: true } ? InnerOf<F, S, P> : InnerUnder<Name, F, S, P>

/** The run-time twin of {@link OnField}: the scope that a layer on a field is given. */
export const fieldScope = (name: string, { definition }: AnyLayer): string | undefined => (definition.kind === 'unnamed' ? undefined : name)
