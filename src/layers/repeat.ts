import type { Signal } from '../ops/tensor.js'
import { agree, type Agree } from '../shape/agree.js'
import type { Show, SignalShape } from '../shape/shape.js'
import type { AnyShapeError, Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import type { Under } from '../shape/under.js'
import { type AnyLayer, defineLayer, isLayer, type Layer, type ShapeFunctionOf } from './core/layer.js'
import { firstOf, sizes } from './core/preconditions.js'
import { refuseChange, shapeOfSignal } from './core/refuse.js'

/** The shape function of {@link repeat}. */
export interface Repeat<F extends ShapeFunction> extends ShapeFunction {
  readonly scope: 'blocks'
  readonly out: Under<'blocks.0', F, this['in']> extends infer O
    ? O extends AnyShapeError ? O
    : [O, this['in']] extends [this['in'], O] ? O
    : OrChanges<this['in'], O, Agree<this['in'], O>>
    : never
}

type OrChanges<S, O, Kept> = [Kept] extends [never] ? Changes<S, O> : Kept
type Changes<S, O> = Misfit<'repeatMisfit', { before: Show<S>; after: Show<O> }, 'repeat'>

/**
 * A block `times` over, each with its own weights, under `blocks.0`, `blocks.1` and so on. The block must
 * keep the shape. Where blocks differ (a drop rate that grows), give a function of their number.
 * Errors: `repeatMisfit`, `notASize`, and those of the block.
 *
 * @example
 * pipe(input(197, 192), repeat(12, encoderBlock({ numHeads: 3 }))) // Model<[197, 192], [197, 192]>
 */
export function repeat<L extends AnyLayer>(times: number, block: L): Layer<Repeat<ShapeFunctionOf<L>>>
export function repeat<L extends AnyLayer>(times: number, block: (index: number) => L): Layer<Repeat<ShapeFunctionOf<L>>>
export function repeat(times: number, block: AnyLayer | ((index: number) => AnyLayer)): AnyLayer {
  const at = (index: number): AnyLayer => (isLayer(block) ? block : block(index))
  return defineLayer<ShapeFunction, Signal, SignalShape>('repeat', repeat, [times, block], {
    config: { times },
    scope: 'blocks',
    accepts: 'any',
    check: () => firstOf(() => sizes('repeat', { times })),
    forward: (x, { apply }) => {
      let signal = x
      for (let index = 0; index < times; index++) {
        const next = apply(at(index), signal, String(index))
        if (!agree(shapeOfSignal(signal), shapeOfSignal(next))) return refuseChange('repeatMisfit', signal, next)
        signal = next
      }
      return signal
    },
  })
}
