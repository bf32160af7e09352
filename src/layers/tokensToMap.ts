import { reshape, slice } from '../ops/ops.js'
import type { Multiply, Subtract } from '../shape/natural.js'
import type { Problem } from '../shape/problem.js'
import type { Root } from '../shape/root.js'
import { type Shape, show, type Show } from '../shape/shape.js'
import { type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { counts, firstOf, grids, sizes, tokens } from './core/preconditions.js'

/** Options of {@link tokensToMap}. */
export interface TokensToMapConfig<P extends number, R extends number, W extends number> {
  /** How many tokens in front are no patches and are left out: a class token, registers (default 0). */
  readonly prefixTokens?: P
  /** Rows and columns of the map; needed where it is no square. */
  readonly grid?: readonly [R, W]
}

/** The shape function of {@link tokensToMap}; R is 0 where no grid is given. */
export interface TokensToMap<P extends number, R extends number, W extends number> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer N extends number, infer C extends number]
    ? Subtract<N, P> extends infer Patches
      ? [Patches] extends [never] ? TooLong<P, N, C> : Patches extends 0 ? TooLong<P, N, C> : Patches extends number ? OnMap<Patches, C, R, W> : never
      : never
    : Expects<'expectsTokens', 'tokensToMap', this['in']>
}
type OnMap<N extends number, C extends number, R extends number, W extends number> = R extends 0
  ? Root<N> extends infer Side extends number ? ([Side] extends [never] ? Misfit<'noSquareMap', { tokens: N; shape: Show<readonly [N, C]> }, 'tokensToMap', typeof squareRemedy> : readonly [Side, Side, C]) : never
  : Multiply<R, W> extends infer Places extends number ? (number extends Places | N ? readonly [R, W, C] : Places extends N ? readonly [R, W, C] : Misfit<'mapDoesNotHold', { height: R; width: W; tokens: N; shape: Show<readonly [N, C]> }, 'tokensToMap'>) : never
type TooLong<P extends number, N extends number, C extends number> = Misfit<'prefixTooLong', { layer: 'tokensToMap'; prefixTokens: P; tokens: N; shape: Show<readonly [N, C]> }, 'tokensToMap'>

const squareRemedy = 'give the grid, or say how many prefixTokens are no patches'

/**
 * Tokens of patches back in their places, row by row: what `flattenTokens` did to a map, undone.
 * `[tokens, channels] → [height, width, channels]`.
 *
 * Errors: `expectsTokens`, `prefixTooLong`, `noSquareMap`, `mapDoesNotHold`, `notACount`, `notAGrid`, `notASize`.
 *
 * @example
 * pipe(input(197, 192), tokensToMap({ prefixTokens: 1 })) // Model<[197, 192], [14, 14, 192]>
 */
export const tokensToMap = <const P extends number = 0, const R extends number = 0, const W extends number = 0>(config: TokensToMapConfig<P, R, W> = {}): Layer<TokensToMap<P, R, W>> => {
  const { prefixTokens = 0, grid } = config
  return defineLayer('tokensToMap', tokensToMap, [config], {
    config: { prefixTokens, grid },
    check: shape =>
      firstOf(
        () => counts('tokensToMap', { prefixTokens }),
        () => (grid === undefined ? undefined : firstOf(() => grids('tokensToMap', { grid }), () => sizes('tokensToMap', { 'grid height': grid[0], 'grid width': grid[1] }))),
        () => tokens('tokensToMap', shape),
        () => (shape[0]! > prefixTokens ? fit([shape[0]! - prefixTokens, shape[1]!], grid) : misfit('prefixTooLong', { layer: 'tokensToMap', prefixTokens, tokens: shape[0]!, shape: show(shape) })),
      ),
    traits: { reach: 'channel' },
    forward: x => {
      const [count, channels] = [x.shape[0]! - prefixTokens, x.shape[1]!]
      const [rows, columns] = grid ?? [Math.sqrt(count), Math.sqrt(count)]
      return reshape(prefixTokens === 0 ? x : slice(x, [prefixTokens, 0], [count, channels]), [rows, columns, channels])
    },
  })
}

/** What generators may give {@link tokensToMap}. */
export const tokensToMapArguments: Arguments = [choice.options({}, { prefixTokens: choice.whole(0, 2), grid: choice.factorsOf('tokens') })]

const fit = (shape: Shape, grid: readonly [number, number] | undefined): Problem | undefined => {
  const tokens = shape[0]!
  if (grid === undefined) return Number.isInteger(Math.sqrt(tokens)) ? undefined : misfit('noSquareMap', { tokens, shape: show(shape) }, { remedy: squareRemedy })
  return grid[0] * grid[1] === tokens ? undefined : misfit('mapDoesNotHold', { height: grid[0], width: grid[1], tokens, shape: show(shape) })
}
