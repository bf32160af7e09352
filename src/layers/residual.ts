import { add } from '../ops/ops.js'
import { isTensor } from '../ops/tensor.js'
import type { Agree } from '../shape/agree.js'
import { sameShape, type Shape, show, type Show } from '../shape/shape.js'
import type { AnyShapeError, Expects, Misfit } from '../shape/shapeError.js'
import type { Apply, Same, ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import type { InnerHere } from './core/inner.js'
import { type AnyLayer, defineLayer, type Layer, type ShapeFunctionOf } from './core/layer.js'
import { refuse, refuseChange, shapeOfSignal } from './core/refuse.js'

/** The shape function of {@link residual}: branch `F`, shortcut `G`. */
export interface Residual<F extends ShapeFunction, G extends ShapeFunction = Same> extends ShapeFunction {
  readonly out: this['in'] extends Shape
    ? Apply<F, this['in']> extends infer O ? (O extends AnyShapeError ? O : Joined<this['in'], O, Apply<G, this['in']>>) : never
    : Expects<'expectsTensor', 'residual', this['in']>
  readonly path: string
  readonly inner: InnerHere<F, this['in'], this['path']> extends infer O ? ([O] extends [never] ? InnerHere<G, this['in'], this['path']> : O) : never
}

type Joined<S, O, X> = X extends AnyShapeError ? X : [O, X] extends [X, O] ? O : OrDiffers<S, O, X, Agree<X, O>>
type OrDiffers<S, O, X, Sum> = [Sum] extends [never] ? ([S, X] extends [X, S] ? Changes<S, O> : Differs<S, O, X>) : Sum
type Changes<S, O> = Misfit<'residualMisfit', { before: Show<S>; after: Show<O> }, 'residual'>
type Differs<S, O, X> = Misfit<'shortcutMisfit', { layer: 'residual'; before: Show<S>; shortcut: Show<X>; branch: Show<O> }, 'residual'>

/**
 * `x + branch(x)` (He et al., 2015). The branch must keep the shape: `[...] → [...]`; or, where it changes it, a
 * shortcut must change it alike: `shortcut(x) + branch(x)`.
 * Errors: `expectsTensor`, `residualMisfit`, `shortcutMisfit`, and those of the branch and of the shortcut.
 *
 * @example
 * pipe(input(197, 192), residual(serial(layerNorm(), mlp()))) // Model<[197, 192], [197, 192]>
 */
export function residual<L extends AnyLayer>(branch: L): Layer<Residual<ShapeFunctionOf<L>>>
export function residual<L extends AnyLayer, G extends AnyLayer>(branch: L, shortcut: G): Layer<Residual<ShapeFunctionOf<L>, ShapeFunctionOf<G>>>
export function residual(branch: AnyLayer, shortcut?: AnyLayer): AnyLayer {
  return defineLayer('residual', residual as (branch: AnyLayer) => AnyLayer, [branch, shortcut], {
    forward: (x, { apply }) => {
      const y = apply(branch, x)
      const kept = shortcut === undefined ? x : apply(shortcut, x)
      if (isTensor(y) && isTensor(kept) && sameShape(kept.shape, y.shape)) return add(kept, y)
      const [before, after, added] = [x, kept, y].map(signal => show(shapeOfSignal(signal))) as [string, string, string]
      return before === after ? refuseChange('residualMisfit', x, y) : refuse('shortcutMisfit', { layer: 'residual', before, shortcut: after, branch: added }, { expected: after, actual: added })
    },
  })
}

/** What generators may give {@link residual}. */
export const residualArguments: Arguments = { ways: [[choice.layer('shape')], [choice.layer(), choice.layer('previous')]] }
