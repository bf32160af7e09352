import { add } from '../ops/ops.js'
import { isTensor } from '../ops/tensor.js'
import type { Agree } from '../shape/agree.js'
import { sameShape, type Shape, type Show } from '../shape/shape.js'
import type { AnyShapeError, Expects, Misfit } from '../shape/shapeError.js'
import type { Apply, ShapeFunction } from '../shape/shapeFunction.js'
import { type AnyLayer, defineLayer, type Layer, type ShapeFunctionOf } from './core/layer.js'
import { refuseChange } from './core/refuse.js'

/** The shape function of {@link residual}. */
export interface Residual<F extends ShapeFunction> extends ShapeFunction {
  readonly out: this['in'] extends Shape
    ? Apply<F, this['in']> extends infer O
      ? O extends AnyShapeError ? O
      : [O, this['in']] extends [this['in'], O] ? O
      : OrChanges<this['in'], O, Agree<this['in'], O>>
      : never
    : Expects<'expectsTensor', 'residual', this['in']>
}

type OrChanges<S, O, Sum> = [Sum] extends [never] ? Changes<S, O> : Sum
type Changes<S, O> = Misfit<'residualMisfit', { before: Show<S>; after: Show<O> }, 'residual'>

/**
 * `x + branch(x)` (He et al., 2015). `[...] → [...]`; the branch must keep the shape. Errors: `residualMisfit`, and those of
 * the branch.
 *
 * @example
 * pipe(input(197, 192), residual(serial(layerNorm(), mlp()))) // Model<[197, 192], [197, 192]>
 */
export const residual = <L extends AnyLayer>(branch: L): Layer<Residual<ShapeFunctionOf<L>>> =>
  defineLayer('residual', residual, [branch], {
    forward: (x, { apply }) => {
      const y = apply(branch, x)
      if (!isTensor(y) || !sameShape(x.shape, y.shape)) return refuseChange('residualMisfit', x, y)
      return add(x, y)
    },
  })
