import { conv2d as convolve } from '../ops/ops.js'
import { problem, type Problem } from '../shape/problem.js'
import type { Shape } from '../shape/shape.js'
import { type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { type Padding, paddingSides, type Positions, positions } from './core/padding.js'
import { firstOf, image, sizes } from './core/preconditions.js'

/** Options of {@link depthwiseConv2d}. */
export interface DepthwiseConv2dConfig<K extends number, S extends number, P extends Padding> {
  /** Height and width of the kernel. */
  readonly kernelSize: K
  /** Step in pixels (default 1). */
  readonly stride?: S
  /** Zeros added on every side, or `same` (default 0). */
  readonly padding?: P
  /** How many channels see one another (default 1: every channel by itself). */
  readonly groupSize?: number
  readonly bias?: boolean
}

/** The shape function of {@link depthwiseConv2d}. */
export interface DepthwiseConv2d<K extends number, S extends number, P extends Padding> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer H extends number, infer W extends number, infer C extends number]
    ? Moved<H, W, C, K, Positions<H, K, S, P>, Positions<W, K, S, P>>
    : Expects<'expectsImage', 'depthwiseConv2d', this['in']>
}
type Moved<H extends number, W extends number, C extends number, K extends number, Rows extends number, Columns extends number> =
  [Rows] extends [never] ? TooLarge<K, H, W> : [Columns] extends [never] ? TooLarge<K, H, W> : readonly [Rows, Columns, C]
type TooLarge<K extends number, H extends number, W extends number> = Misfit<'depthwiseKernelDoesNotFit', { kernel: K; height: H; width: W }, 'depthwiseConv2d'>

/**
 * A convolution that keeps channels apart (Howard et al., 2017, "MobileNets", section 3.1): a pattern for each,
 * and nothing between them. `[height, width, dim] → [rows, columns, dim]`.
 *
 * Parameters under `conv`: `weight [dim, groupSize, kernelSize, kernelSize]`, `bias [dim]`.
 * Errors: `expectsImage`, `depthwiseKernelDoesNotFit`, `groupSizeDoesNotSplit`, `notACount`, `notASize`.
 *
 * @example
 * pipe(input(56, 56, 384), depthwiseConv2d({ kernelSize: 3, stride: 2, padding: 1 })) // Model<[56, 56, 384], [28, 28, 384]>
 */
export const depthwiseConv2d = <const K extends number, const S extends number = 1, const P extends Padding = 0>(config: DepthwiseConv2dConfig<K, S, P>): Layer<DepthwiseConv2d<K, S, P>> => {
  const { kernelSize, stride = 1, padding = 0, groupSize = 1, bias = true } = config
  return defineLayer('depthwiseConv2d', depthwiseConv2d, [config], {
    config: { kernelSize, stride, padding, groupSize, bias },
    scope: 'conv',
    check: shape => firstOf(() => sizes('depthwiseConv2d', { kernelSize, stride, groupSize }), () => image('depthwiseConv2d', shape), () => fit(shape, kernelSize, stride, padding, groupSize)),
    parameters: shape => ({
      weight: { shape: [shape[2] as number, groupSize, kernelSize, kernelSize], initialiser: { kind: 'heUniform' } },
      ...(bias ? { bias: { shape: [shape[2] as number], initialiser: { kind: 'zeros' } } as const } : {}),
    }),
    traits: groupSize === 1 ? { reach: 'channel' } : {},
    forward: (x, { parameters }) => {
      const [height, width, dim] = x.shape as readonly [number, number, number]
      const sides = (size: number): readonly [number, number] => paddingSides(size, kernelSize, stride, padding)
      return convolve(x, parameters['weight']!, parameters['bias'], { strides: [stride, stride], padding: [sides(height), sides(width)], groups: dim / groupSize })
    },
  })
}

/** What generators may give {@link depthwiseConv2d}. */
export const depthwiseConv2dArguments: Arguments = [choice.options({ kernelSize: choice.whole(1, 3) }, { stride: choice.whole(1, 3), padding: choice.padding, groupSize: choice.divisorOf('channels'), bias: choice.flag })]

const fit = (shape: Shape, kernel: number, stride: number, padding: Padding, groupSize: number): Problem | undefined => {
  const [height, width, channels] = shape as readonly [number, number, number]
  if (padding !== 'same' && !(Number.isInteger(padding) && padding >= 0)) return problem('notACount', `depthwiseConv2d: padding must be a whole number from 0 or 'same', got ${String(padding)}`)
  if (positions(Math.min(height, width), kernel, stride, padding) === undefined) return misfit('depthwiseKernelDoesNotFit', { kernel, height, width })
  return channels % groupSize === 0 ? undefined : misfit('groupSizeDoesNotSplit', { layer: 'depthwiseConv2d', channels, groupSize })
}
