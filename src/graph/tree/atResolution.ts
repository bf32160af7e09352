import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { AnyLayer } from '../../layers/core/layer.js'
import { isModel, model, type AnyModel, type Model } from '../../layers/core/model.js'
import { mapLayer } from '../../layers/mapLayer.js'
import { isSize } from '../../shape/natural.js'
import { pairOf, type HeightOf, type Pair, type WidthOf } from '../../shape/patches.js'
import { problem, type Problem } from '../../shape/problem.js'
import { show, type Shape } from '../../shape/shape.js'
import { trace } from '../trace.js'

/** The input of an image model at another size. */
export type Resized<I, P extends Pair> = I extends readonly [number, number, infer C extends number] ? readonly [HeightOf<P>, WidthOf<P>, C] : I

/** What a model gives at another image size: a vector stays what it is; how many tokens or places there are, tracing finds. */
export type AtAnotherSize<S> = S extends readonly [number] ? S
  : S extends readonly [...infer Places extends readonly number[], infer C extends number] ? readonly [...{ readonly [K in keyof Places]: number }, C]
  : S extends Shape ? S : { readonly [Name in keyof S]: AtAnotherSize<S[Name]> }

/** A published recipe, as far as it is needed here: a model whose options can be changed. */
export interface Configurable<R> {
  readonly model: unknown
  readonly withConfig: (changes: Readonly<Record<string, unknown>>) => R
}

/**
 * A model over images of another size, one number or `[height, width]`. Its layers take what arrives: position tables
 * and the tables of attention over a whole map get another size (`adaptWeights` resizes trained ones), windows keep
 * theirs. Grids of patches that are written in a layer's options grow with the image.
 * `Model<[height, width, channels], S> → Model<[size, size, channels], S>`.
 *
 * A recipe becomes the same recipe with another `imageSize`, and with `changes` where other options follow it: Swins
 * are published with windows of 12 at 384 pixels.
 *
 * Errors: `notAnImageModel`, `notASize`, `gridDoesNotGrow` (a grid that would have no whole number of rows or columns);
 * those of `trace`, where the size does not fit, with the nearest that do.
 *
 * @example
 * atResolution(vitTiny, 384) // Either<Problem, Model<[384, 384, 3], [1000]>>
 */
export function atResolution<I, S, const P extends Pair>(m: Model<I, S>, size: P): Either<Problem, Model<Resized<I, P>, AtAnotherSize<S>>>
export function atResolution<R extends { readonly model: unknown }>(recipe: Configurable<R>, size: Pair, changes?: Readonly<Record<string, unknown>>): Either<Problem, R>
export function atResolution(subject: AnyModel | Configurable<{ readonly model: unknown }>, size: Pair, changes: Readonly<Record<string, unknown>> = {}): Either<Problem, unknown> {
  if (isModel(subject)) return modelAt(subject, size)
  const made = subject.withConfig({ imageSize: size, ...changes })
  const traced = trace(made.model as AnyModel)
  return traced._tag === 'Left' ? traced : right(made)
}

const modelAt = (m: AnyModel, size: Pair): Either<Problem, AnyModel> => {
  const before = 'shape' in m.input && m.input.dtype === 'float32' && m.input.shape.length === 3 ? m.input.shape : undefined
  if (before === undefined) return left(problem('notAnImageModel', 'atResolution: this model does not take an image of height×width×channels', { remedy: 'build it for the other size' }))
  const [height, width] = pairOf(size)
  if (!isSize(height) || !isSize(width)) return left(problem('notASize', `atResolution: a size must be a whole number from 1 to 10^9, got ${String(isSize(height) ? width : height)}`))
  let stuck: Problem | undefined
  const grown = (grid: readonly [number, number]): readonly [number, number] => {
    const made = [(grid[0] * height) / before[0]!, (grid[1] * width) / before[1]!] as const
    if (!made.every(Number.isInteger)) stuck ??= problem('gridDoesNotGrow', `atResolution: a grid of ${show(grid)} at ${before[0]}×${before[1]} has no whole number of rows and columns at ${height}×${width}`, { remedy: `sizes that fit are multiples of ${before[0]! / grid[0]}×${before[1]! / grid[1]}` })
    return made
  }
  const layers = m.layers.map(layer => mapLayer(layer, inner => atSize(inner, grown)))
  const made: AnyModel = model({ shape: [height, width, before[2]!], dtype: 'float32' }, layers)
  const traced = trace(made)
  // Blocks that are given by their number are made, and asked, only while tracing.
  if (stuck !== undefined) return left(stuck)
  return traced._tag === 'Left' ? traced : right(made)
}

/** A layer whose options say how many tokens or patches there are, at another number of them. */
const atSize = (layer: AnyLayer, grown: (grid: readonly [number, number]) => readonly [number, number]): AnyLayer => {
  const { kind, make, args, config } = layer.definition
  if (kind !== 'positionEmbed' && kind !== 'gatedPositionalAttention') return layer
  const { grid, numTokens } = config as { readonly grid?: readonly [number, number]; readonly numTokens?: number }
  if (grid === undefined && numTokens === undefined) return layer
  const { numTokens: _, ...rest } = args[0] as { readonly numTokens?: number }
  return make(...([{ ...rest, ...(grid === undefined ? {} : { grid: grown(grid) }) }] as never[]))
}
