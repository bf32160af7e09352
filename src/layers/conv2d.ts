import { conv2d as convolve } from '../ops/ops.js'
import { type Problem, problem } from '../shape/problem.js'
import type { Shape } from '../shape/shape.js'
import { type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { type Padding, paddingSides, type Positions, positions } from './core/padding.js'
import { firstOf, image, sizes } from './core/preconditions.js'

/** Options of {@link conv2d}. */
export interface Conv2dConfig<D extends number, K extends number, S extends number, P extends Padding> {
  /** Channels out. */
  readonly dim: D
  /** Height and width of the kernel. */
  readonly kernelSize: K
  /** Step in pixels (default 1). */
  readonly stride?: S
  /** Zeros added on every side (default 0), PyTorch's convention; or `same`, TensorFlow's. */
  readonly padding?: P
  /** Channels in and out are split into this many groups (default 1). */
  readonly groups?: number
  readonly bias?: boolean
}

/** The shape function of {@link conv2d}. */
export interface Conv2d<D extends number, K extends number, S extends number, P extends Padding> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer H extends number, infer W extends number, number]
    ? Convolved<H, W, D, K, Positions<H, K, S, P>, Positions<W, K, S, P>>
    : Expects<'expectsImage', 'conv2d', this['in']>
}
type KernelTooLarge<K extends number, H extends number, W extends number> = Misfit<'kernelDoesNotFit', { kernel: K; height: H; width: W }, 'conv2d'>
type Convolved<H extends number, W extends number, D extends number, K extends number, Rows extends number, Columns extends number> =
  [Rows] extends [never] ? KernelTooLarge<K, H, W> : [Columns] extends [never] ? KernelTooLarge<K, H, W> : readonly [Rows, Columns, D]

/**
 * A 2-D convolution. `[height, width, in] → [rows, columns, dim]`, with
 * `rows = ⌊(height + 2·padding − kernelSize) / stride⌋ + 1`, or `⌈height / stride⌉` with padding `same`, and columns likewise.
 *
 * Parameters under `conv`: `weight [dim, in/groups, kernelSize, kernelSize]`, `bias [dim]`.
 * Errors: `expectsImage`, `kernelDoesNotFit`, `groupsDoNotSplit`, `notACount`, `notASize`.
 *
 * @example
 * pipe(input(224, 224, 3), conv2d({ dim: 64, kernelSize: 7, stride: 2, padding: 3 })) // Model<[224, 224, 3], [112, 112, 64]>
 */
export const conv2d = <const D extends number, const K extends number, const S extends number = 1, const P extends Padding = 0>(config: Conv2dConfig<D, K, S, P>): Layer<Conv2d<D, K, S, P>> => {
  const { dim, kernelSize, stride = 1, padding = 0, groups = 1, bias = true } = config
  return defineLayer('conv2d', conv2d, [config], {
    config: { dim, kernelSize, stride, padding, groups, bias },
    scope: 'conv',
    check: shape => firstOf(() => sizes('conv2d', { dim, kernelSize, stride, groups }), () => image('conv2d', shape), () => fit(shape, dim, kernelSize, stride, padding, groups)),
    parameters: shape => ({
      weight: { shape: [dim, (shape[2] as number) / groups, kernelSize, kernelSize], initialiser: { kind: 'heUniform' } },
      ...(bias ? { bias: { shape: [dim], initialiser: { kind: 'zeros' } } as const } : {}),
    }),
    forward: (x, { parameters }) => {
      const sides = (size: number | undefined): readonly [number, number] => paddingSides(size as number, kernelSize, stride, padding)
      return convolve(x, parameters['weight']!, parameters['bias'], { strides: [stride, stride], padding: [sides(x.shape[0]), sides(x.shape[1])], groups })
    },
  })
}

/** What generators may give {@link conv2d}. */
export const conv2dArguments: Arguments = [choice.options({ dim: choice.size, kernelSize: choice.whole(1, 3) }, { stride: choice.whole(1, 3), padding: choice.padding, groups: choice.divisorOf('channels'), bias: choice.flag })]

const fit = (shape: Shape, dim: number, kernel: number, stride: number, padding: Padding, groups: number): Problem | undefined => {
  const [height, width, channels] = shape as readonly [number, number, number]
  if (padding !== 'same' && !(Number.isInteger(padding) && padding >= 0)) return problem('notACount', `conv2d: padding must be a whole number from 0 or 'same', got ${String(padding)}`)
  if (positions(Math.min(height, width), kernel, stride, padding) === undefined) return misfit('kernelDoesNotFit', { kernel, height: height, width: width })
  return channels % groups === 0 && dim % groups === 0 ? undefined : misfit('groupsDoNotSplit', { channels, dim, groups })
}
