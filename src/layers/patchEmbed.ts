import type { Initialiser } from '../ops/initialiser.js'
import { conv2d } from '../ops/ops.js'
import { type HeightOf, nearestSizes, type NearestSizes, type Pair, pairOf, patchCount, type PatchCount, type WidthOf } from '../shape/patches.js'
import type { Problem } from '../shape/problem.js'
import type { Shape } from '../shape/shape.js'
import { type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { firstOf, image, pairs, sizes } from './core/preconditions.js'

/** Options of {@link patchEmbed}. */
export interface PatchEmbedConfig<P extends Pair, D extends number, S extends Pair> {
  /** Patch size in pixels, one for both axes or `[height, width]`. */
  readonly patchSize: P
  /** Channels of a token. */
  readonly dim: D
  /** Step between patches in pixels; the patch size unless given. A smaller one makes patches overlap. */
  readonly stride?: S
  /** Whether the projection has a bias (default true). */
  readonly bias?: boolean
}

/** The shape function of {@link patchEmbed}. */
export interface PatchEmbed<P extends Pair, D extends number, S extends Pair> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer H extends number, infer W extends number, number]
    ? Patches<H, W, HeightOf<P>, WidthOf<P>, HeightOf<S>, WidthOf<S>, D>
    : Expects<'expectsImage', 'patchEmbed', this['in']>
}
type Patches<H extends number, W extends number, PH extends number, PW extends number, SH extends number, SW extends number, D extends number> =
  [PatchCount<H, PH, SH>, PatchCount<W, PW, SW>] extends [infer Rows, infer Columns]
    ? Rows extends number
      ? Columns extends number ? readonly [Rows, Columns, D] : Refusal<Columns, H, W, PH, PW, SH, SW, NearestSizes<W, PW, SW>>
      : Refusal<Rows, H, W, PH, PW, SH, SW, NearestSizes<H, PH, SH>>
    : never
type Refusal<Why, H extends number, W extends number, PH extends number, PW extends number, SH extends number, SW extends number, Remedy extends string> = Why extends 'large'
  ? Misfit<'patchTooLarge', { height: H; width: W; patchHeight: PH; patchWidth: PW }, 'patchEmbed'>
  : Misfit<'patchesDoNotFit', { height: H; width: W; patchHeight: PH; patchWidth: PW; strideHeight: SH; strideWidth: SW }, 'patchEmbed', Remedy>

const projection: Initialiser = { kind: 'heUniform' }

/**
 * Cuts an image into patches and projects each to `dim` channels: a convolution whose kernel is the patch
 * (Dosovitskiy et al., 2020, section 3.1). `[height, width, channels] → [rows, columns, dim]`.
 *
 * Parameters under `patch_embed.proj`: `weight [dim, channels, patch, patch]`, `bias [dim]`.
 * Errors: `expectsImage`, `patchTooLarge`, `patchesDoNotFit` (with the nearest sizes that fit), `notAPair`, `notASize`.
 *
 * @example
 * pipe(input(224, 224, 3), patchEmbed({ patchSize: 16, dim: 192 })) // Model<[224, 224, 3], [14, 14, 192]>
 */
export const patchEmbed = <const P extends Pair, const D extends number, const S extends Pair = P>(config: PatchEmbedConfig<P, D, S>): Layer<PatchEmbed<P, D, S>> => {
  const { patchSize, dim, stride = patchSize, bias = true } = config
  const [patchHeight, patchWidth] = pairOf(patchSize)
  const [strideHeight, strideWidth] = pairOf(stride)
  return defineLayer('patchEmbed', patchEmbed, [config], {
    config: { patchSize, dim, stride, bias },
    scope: 'patch_embed.proj',
    check: shape =>
      firstOf(
        () => pairs('patchEmbed', { patchSize, stride }),
        () => sizes('patchEmbed', { dim, patchSize: patchHeight, patchWidth, stride: strideHeight, strideWidth }),
        () => image('patchEmbed', shape),
        () => fit(shape, [patchHeight, patchWidth], [strideHeight, strideWidth]),
      ),
    parameters: shape => ({
      weight: { shape: [dim, shape[2] as number, patchHeight, patchWidth], initialiser: projection },
      ...(bias ? { bias: { shape: [dim], initialiser: { kind: 'zeros' } } as const } : {}),
    }),
    forward: (x, { parameters }) =>
      conv2d(x, parameters['weight']!, parameters['bias'], { strides: [strideHeight, strideWidth], padding: [[0, 0], [0, 0]], groups: 1 }),
  })
}

/** What generators may give {@link patchEmbed}. */
export const patchEmbedArguments: Arguments = [choice.options({ patchSize: choice.oneOrTwo(choice.divisorOf('height'), choice.divisorOf('width')), dim: choice.size }, { stride: choice.oneOrTwo(choice.divisorOf('height'), choice.divisorOf('width')), bias: choice.flag })]

const fit = (shape: Shape, patch: readonly [number, number], stride: readonly [number, number]): Problem | undefined => {
  const [height, width] = shape as readonly [number, number]
  for (const axis of [0, 1] as const) {
    const count = patchCount(shape[axis] as number, patch[axis], stride[axis])
    const sizes = { height, width, patchHeight: patch[0], patchWidth: patch[1] }
    if (count === 'large') return misfit('patchTooLarge', sizes)
    if (count === 'remainder')
      return misfit('patchesDoNotFit', { ...sizes, strideHeight: stride[0], strideWidth: stride[1] }, { remedy: nearestSizes(shape[axis] as number, patch[axis], stride[axis]) })
  }
  return undefined
}
