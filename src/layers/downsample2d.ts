import { averagePool, maxPool } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import type { Problem } from '../shape/problem.js'
import { type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { Shape } from '../shape/shape.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { conv2d } from './conv2d.js'
import { type Arguments, choice } from './core/choice.js'
import { type BlockPadding, half, type Half, type PoolKind, poolKinds, roundsUp, type RoundsUp } from './core/halving.js'
import { defineLayer, type Layer } from './core/layer.js'
import { paddingSides } from './core/padding.js'
import { firstOf, image, oneOf, sizes } from './core/preconditions.js'

/** Options of {@link downsample2d}. */
export interface Downsample2dConfig<D extends number, K extends PoolKind, P extends BlockPadding> {
  /** Channels out; as many as in unless given. */
  readonly dim?: D
  /** Default `average2`. */
  readonly pool?: K
  /** Default `symmetric`. */
  readonly padding?: P
  /** Whether the convolution that changes the number of channels has a bias (default true). */
  readonly bias?: boolean
}

/** The shape function of {@link downsample2d}. `D` is `never` where channels are kept. */
export interface Downsample2d<D extends number, Up extends boolean> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer H extends number, infer W extends number, infer C extends number]
    ? Halved<H, W, Half<H, Up>, Half<W, Up>, [D] extends [never] ? C : D>
    : Expects<'expectsImage', 'downsample2d', this['in']>
}
type Halved<H extends number, W extends number, Rows extends number, Columns extends number, D extends number> = 0 extends Rows | Columns ? (number extends Rows | Columns ? readonly [Rows, Columns, D] : DoesNotHalve<H, W, 'downsample2d'>) : readonly [Rows, Columns, D]

/** The error of a map that a layer cannot halve. */
export type DoesNotHalve<H extends number, W extends number, Name extends string, Remedy extends string = ''> = Misfit<'mapDoesNotHalve', { layer: Name; height: H; width: W }, Name, Remedy>

/**
 * Halves a map by pooling, and changes the number of channels by a convolution of one pixel where asked to:
 * the shortcut of a block that strides (He et al., 2018, "Bag of Tricks", section 4.2).
 * `[height, width, channels] → [height / 2, width / 2, dim]`; pools of 2×2 round an odd size down, others up.
 *
 * Parameters, only if `dim` differs: `expand.weight [dim, channels, 1, 1]`, `expand.bias [dim]`, under `downsample`.
 * Errors: `expectsImage`, `mapDoesNotHalve`, `notASize`, `unknownOption`.
 *
 * @example
 * pipe(input(56, 56, 96), downsample2d({ dim: 192 })) // Model<[56, 56, 96], [28, 28, 192]>
 */
export const downsample2d = <const D extends number = never, const K extends PoolKind = 'average2', const P extends BlockPadding = 'symmetric'>(config: Downsample2dConfig<D, K, P> = {}): Layer<Downsample2d<D, RoundsUp<K, P>>> => {
  const { dim, pool = 'average2', padding = 'symmetric', bias = true } = config
  return defineLayer('downsample2d', downsample2d, [config], {
    config: { dim, pool, padding, bias },
    scope: 'downsample',
    check: shape =>
      firstOf(
        () => sizes('downsample2d', dim === undefined ? {} : { dim }),
        () => oneOf('downsample2d', 'pool', pool, poolKinds),
        () => oneOf('downsample2d', 'padding', padding, ['symmetric', 'same']),
        () => image('downsample2d', shape),
        () => (shape.slice(0, 2).every(size => half(size, roundsUp(pool, padding)) > 0) ? undefined : doesNotHalve('downsample2d', shape)),
      ),
    forward: (x, { apply }) => {
      const pooled = pool2d(x, pool, padding)
      return dim === undefined || dim === x.shape[2] ? pooled : apply(conv2d({ dim, kernelSize: 1, bias }), pooled, 'expand')
    },
  })
}

/** What generators may give {@link downsample2d}. */
export const downsample2dArguments: Arguments = [choice.options({}, { dim: choice.size, pool: choice.among(...poolKinds), padding: choice.among('symmetric', 'same'), bias: choice.flag })]

/** The run-time twin of {@link DoesNotHalve}. */
export const doesNotHalve = (layer: string, shape: Shape, remedy?: string): Problem => misfit('mapDoesNotHalve', { layer, height: shape[0] as number, width: shape[1] as number }, remedy === undefined ? {} : { remedy })

const pool2d = (x: Tensor, kind: PoolKind, padding: BlockPadding): Tensor => {
  const window = kind === 'average2' || kind === 'max2' ? 2 : 3
  const sides = (axis: 0 | 1): readonly [number, number] => paddingSides(x.shape[axis] as number, window, 2, padding === 'same' ? 'same' : window - 2)
  const pooling = { size: [window, window], strides: [2, 2], padding: [sides(0), sides(1)] } as const
  // timm puts the zeros of `same` there itself, so that its pool counts them.
  return kind === 'max2' || kind === 'max3' ? maxPool(x, pooling) : averagePool(x, { ...pooling, countPadding: padding === 'same' })
}
