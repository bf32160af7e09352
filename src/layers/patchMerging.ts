import { concat, constant, layerNorm as normalise, linear, reshape, transpose } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import type { Add, DivMod, Multiply } from '../shape/natural.js'
import { type Shape, show, sizeOf } from '../shape/shape.js'
import type { Problem } from '../shape/problem.js'
import { type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { leavesRest, type LeavesRest, multiples, type Multiples } from './core/fitWindow.js'
import { defineLayer, type Layer } from './core/layer.js'
import { amounts, firstOf, image, sizes } from './core/preconditions.js'

/** Options of {@link patchMerging}. */
export interface PatchMergingConfig<D extends number, P extends boolean> {
  /** Channels out; twice those that arrive, unless given. */
  readonly dim?: D
  /** Whether odd sizes are filled up with zeros, below and right (default false). */
  readonly padding?: P
  /** Epsilon of the norm (default 1e-5, as Swin). */
  readonly epsilon?: number
}

/** The shape function of {@link patchMerging}; `D` is `number` where it is not given. */
export interface PatchMerging<D extends number, P extends boolean> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer H extends number, infer W extends number, infer C extends number]
    ? [P, LeavesRest<H, 2>] extends [false, true] ? IsOdd<H, W, Multiples<H, 2>>
    : [P, LeavesRest<W, 2>] extends [false, true] ? IsOdd<H, W, Multiples<W, 2>>
    : readonly [Half<H>, Half<W>, number extends D ? Multiply<C, 2> : D]
    : Expects<'expectsImage', 'patchMerging', this['in']>
}
type Half<A extends number> = DivMod<A, 2> extends [infer Q extends number, infer R extends number] ? (R extends 1 ? Add<Q, 1> : Q) : never
type IsOdd<H extends number, W extends number, Remedy extends string> = Misfit<'patchesDoNotMerge', { height: H; width: W }, 'patchMerging', Remedy>

/**
 * Puts the channels of 2×2 neighbours together, normalises and projects them (Liu et al., 2021, section 3.1).
 * `[height, width, channels] → [height/2, width/2, out]`, where `out` is `dim` or twice the channels. The four are
 * joined in the order (0,0), (1,0), (0,1), (1,1) of row and column, as published weights expect.
 *
 * Parameters under `downsample`: `norm.weight [4·channels]`, `norm.bias [4·channels]`,
 * `reduction.weight [out, 4·channels]`.
 * Errors: `expectsImage`, `patchesDoNotMerge` (with the nearest sizes that fit), `notASize`, `notAnAmount`.
 *
 * @example
 * pipe(input(56, 56, 96), patchMerging()) // Model<[56, 56, 96], [28, 28, 192]>
 */
export const patchMerging = <const D extends number = number, const P extends boolean = false>(config: PatchMergingConfig<D, P> = {}): Layer<PatchMerging<D, P>> => {
  const { dim, padding = false, epsilon = 1e-5 } = config
  return defineLayer('patchMerging', patchMerging, [config], {
    config: { dim, padding, epsilon },
    scope: 'downsample',
    check: shape => firstOf(() => sizes('patchMerging', dim === undefined ? {} : { dim }), () => amounts('patchMerging', { epsilon }), () => image('patchMerging', shape), () => (padding ? undefined : fit(shape))),
    parameters: shape => {
      const joined = 4 * shape[2]!
      return {
        'norm.weight': { shape: [joined], initialiser: { kind: 'ones' } },
        'norm.bias': { shape: [joined], initialiser: { kind: 'zeros' } },
        'reduction.weight': { shape: [dim ?? joined / 2, joined], initialiser: { kind: 'truncatedNormal', std: 0.02 } },
      }
    },
    forward: (x, { parameters }) => {
      const even = filled(filled(x, 0), 1)
      const [height, width, channels] = even.shape as readonly [number, number, number]
      const neighbours = transpose(reshape(even, [height / 2, 2, width / 2, 2, channels]), [0, 2, 3, 1, 4])
      const joined = reshape(neighbours, [height / 2, width / 2, 4 * channels])
      return linear(normalise(joined, epsilon, { gamma: parameters['norm.weight']!, beta: parameters['norm.bias']! }), parameters['reduction.weight']!)
    },
  })
}

/** What generators may give {@link patchMerging}. */
export const patchMergingArguments: Arguments = [choice.options({}, { dim: choice.size, padding: choice.flag, epsilon: choice.epsilon })]

/** With a row or column of zeros more where the size is odd. */
const filled = (x: Tensor, axis: 0 | 1): Tensor => {
  if (!leavesRest(x.shape[axis]!, 2)) return x
  const zeros = x.shape.map((size, i) => (i === axis ? 1 : size))
  return concat([x, constant(new Float32Array(sizeOf(zeros)), zeros)], axis)
}

const fit = (shape: Shape): Problem | undefined => {
  const [height, width] = shape as readonly [number, number]
  const odd = [height, width].find(size => leavesRest(size, 2))
  return odd === undefined ? undefined : misfit('patchesDoNotMerge', { height, width }, { actual: show(shape), remedy: multiples(odd, 2) })
}
