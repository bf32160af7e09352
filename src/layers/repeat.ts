import type { Signal } from '../ops/tensor.js'
import { agree, type Agree } from '../shape/agree.js'
import type { Add, IsLess } from '../shape/natural.js'
import { problem } from '../shape/problem.js'
import type { Show, SignalShape } from '../shape/shape.js'
import type { AnyShapeError, Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import type { Under } from '../shape/under.js'
import { type Arguments, choice } from './core/choice.js'
import type { InnerOf } from './core/inner.js'
import { type AnyLayer, defineLayer, isLayer, type Layer, type ShapeFunctionOf } from './core/layer.js'
import { counts, firstOf, sizes } from './core/preconditions.js'
import { refuseChange, shapeOfSignal } from './core/refuse.js'

/** Options of {@link repeat}. */
export interface RepeatConfig<N extends number> {
  /** The number of the first block (default 0), where these blocks follow others that `blocks` already holds. */
  readonly first?: N
}

/** The shape function of {@link repeat}. */
export interface Repeat<F extends ShapeFunction, N extends number = 0, T extends number = number> extends ShapeFunction {
  readonly scope: 'blocks'
  readonly out: Under<`blocks.${N}`, F, this['in']> extends infer O
    ? O extends AnyShapeError ? O
    : [O, this['in']] extends [this['in'], O] ? O
    : OrChanges<this['in'], O, Agree<this['in'], O>>
    : never
  readonly path: string
  readonly inner: this['path'] extends `${infer I extends number}.${infer Rest}` ? IsOneOf<I, N, T> extends true ? InnerOf<F, this['in'], Rest> : never
    : this['path'] extends `${infer I extends number}` ? IsOneOf<I, N, T> extends true ? this['out'] : never
    : never
}
/** Whether block `I` is one of `T` from `N` on; `boolean` where the compiler does not know how many there are. */
type IsOneOf<I extends number, N extends number, T extends number> = [IsLess<I, N>, IsLess<I, Add<N, T>>] extends [false, true] ? true : boolean

/** Tracing visits every block: a slip of the pen must not keep it busy for hours. */
const mostBlocks = 10_000

type OrChanges<S, O, Kept> = [Kept] extends [never] ? Changes<S, O> : Kept
type Changes<S, O> = Misfit<'repeatMisfit', { before: Show<S>; after: Show<O> }, 'repeat'>

/**
 * A block `times` over, each with its own weights, under `blocks.0`, `blocks.1` and so on. The block must
 * keep the shape: `[...] → [...]`. Where blocks differ (a drop rate that grows), give a function of their number,
 * which counts from 0 here. Blocks that follow others in the same scope go on counting from `first`, in `named('blocks', …)`.
 * Errors: `repeatMisfit`, `notASize`, `tooManyBlocks` (above 10,000), `notACount`, and those of the block.
 *
 * @example
 * pipe(input(197, 192), repeat(12, encoderBlock({ numHeads: 3 }))) // Model<[197, 192], [197, 192]>
 */
export function repeat<L extends AnyLayer, const T extends number, const N extends number = 0>(times: T, block: L, config?: RepeatConfig<N>): Layer<Repeat<ShapeFunctionOf<L>, N, T>>
export function repeat<L extends AnyLayer, const T extends number, const N extends number = 0>(times: T, block: (index: number) => L, config?: RepeatConfig<N>): Layer<Repeat<ShapeFunctionOf<L>, N, T>>
export function repeat(times: number, block: AnyLayer | ((index: number) => AnyLayer), config?: RepeatConfig<number>): AnyLayer {
  const { first = 0 } = config ?? {}
  const at = (index: number): AnyLayer => (isLayer(block) ? block : block(index))
  return defineLayer<ShapeFunction, Signal, SignalShape>('repeat', repeat, [times, block, config], {
    config: { times, first },
    scope: 'blocks',
    accepts: 'any',
    check: () =>
      firstOf(
        () => sizes('repeat', { times }),
        () => counts('repeat', { first }),
        () => (times <= mostBlocks ? undefined : problem('tooManyBlocks', `repeat: ${times} blocks are more than the ${mostBlocks} it takes`)),
      ),
    forward: (x, { apply }) => {
      let signal = x
      for (let index = 0; index < times; index++) {
        const next = apply(at(index), signal, String(first + index))
        if (!agree(shapeOfSignal(signal), shapeOfSignal(next))) return refuseChange('repeatMisfit', signal, next)
        signal = next
      }
      return signal
    },
  })
}

/** What generators may give {@link repeat}. */
export const repeatArguments: Arguments = [choice.whole(1, 3), choice.numberedLayer('shape'), choice.options({}, { first: choice.whole(0, 2) })]
