import type { Signal } from '../ops/tensor.js'
import type { SignalShape } from '../shape/shape.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { type IfFields, lacksFields } from './core/fields.js'
import { defineLayer, type Layer } from './core/layer.js'

/** The shape function of {@link field}. */
export interface FieldOf<N extends string> extends ShapeFunction {
  readonly out: IfFields<this['in'], 'field', readonly [N], this['in'][N & keyof this['in']]>
}

/**
 * One field of a record. `{ name: [...] } → [...]`. Errors: `expectsRecord`, `noSuchField`.
 *
 * @example
 * pipe(inputs({ x: input(224, 224, 3), noise: input(196) }), field('noise')) // Model<{ x: [224, 224, 3], noise: [196] }, [196]>
 */
export const field = <const N extends string>(name: N): Layer<FieldOf<N>> =>
  defineLayer<FieldOf<N>, Readonly<Record<string, Signal>>, SignalShape>('field', field, [name], {
    config: { name },
    accepts: 'record',
    check: shape => lacksFields('field', shape, [name]),
    forward: record => record[name]!,
  })

/** What generators may give {@link field}. */
export const fieldArguments: Arguments = [choice.fieldName]
