import { type Add, divMod, type DivMod, type Multiply } from '../shape/natural.js'
import { type HeightOf, type Pair, pairOf, type WidthOf } from '../shape/patches.js'
import type { Problem } from '../shape/problem.js'
import type { Shape } from '../shape/shape.js'
import { type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { type FitWindow, fitWindow, type LeavesRest, leavesRest, type WindowClamp } from './core/fitWindow.js'
import { defineLayer, type Layer } from './core/layer.js'
import { firstOf, image, oneOf, pairs, sizes } from './core/preconditions.js'

/** Options of {@link expectWindows}. */
export interface ExpectWindowsConfig<N extends number, T extends number, W extends Pair, P extends Pair, K extends Exclude<WindowClamp, 'never'>> {
  /** The stage that begins here, from 1. */
  readonly stage: N
  /** How many stages there are, with windows as here; between two, the map halves. */
  readonly stages: T
  readonly windowSize: W
  /** Pixels of the image for one place of the first stage's map, one number or `[height, width]`. */
  readonly patchSize: P
  /** See `windows` (default `each`). */
  readonly clamp?: K
}

/** The shape function of {@link expectWindows}. */
export interface ExpectWindows<N extends number, T extends number, W extends Pair, P extends Pair, K extends Exclude<WindowClamp, 'never'>> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer H extends number, infer V extends number, number]
    ? FitWindow<H, V, HeightOf<W>, WidthOf<W>, K> extends [infer WH extends number, infer WW extends number]
      ? LeavesRest<H, WH> extends true ? DoesNotDivide<N, H, V, WH, WW, Images<H, WH, HeightOf<P>, N, T>>
      : LeavesRest<V, WW> extends true ? DoesNotDivide<N, H, V, WH, WW, Images<V, WW, WidthOf<P>, N, T>>
      : this['in']
      : never
    : Expects<'expectsImage', 'expectWindows', this['in']>
}
type DoesNotDivide<N extends number, H extends number, V extends number, WH extends number, WW extends number, Remedy extends string> =
  Misfit<'stageDoesNotDivide', { stage: N; height: H; width: V; window: WH extends WW ? WH : `${WH}×${WW}` }, 'stage', Remedy>

/** Multiples of the unit fit at every stage; halves of it too while the window halves, since the last map is then the window. */
type Images<A extends number, W extends number, P extends number, N extends number, T extends number> = Nearest<Multiply<Multiply<A, P>, Shrunk<N>>, Multiply<Multiply<P, Shrunk<T>>, W>, W>
/** By how much the map of a stage is smaller than the first. */
type Shrunk<N extends number> = N extends keyof Halvings ? Halvings[N] : number
interface Halvings { 1: 1; 2: 2; 3: 4; 4: 8; 5: 16; 6: 32; 7: 64; 8: 128 }
type Nearest<Size extends number, Unit extends number, W extends number> = DivMod<Size, Unit> extends [infer Q extends number, number]
  ? Q extends 0
    ? DivMod<W, 2> extends [infer Half extends number, 0] ? Nearest<Size, DivMod<Unit, 2>[0], Half> : `the nearest image size that fits: ${Unit}`
    : `the nearest image sizes that fit: ${Multiply<Q, Unit>}, ${Multiply<Add<Q, 1>, Unit>}`
  : never

/** The run-time twin of {@link Images}. */
const nearestImages = (size: number, unit: number, window: number): string => {
  const [count] = divMod(size, unit)
  if (count > 0) return `the nearest image sizes that fit: ${count * unit}, ${(count + 1) * unit}`
  return window % 2 === 0 ? nearestImages(size, unit / 2, window / 2) : `the nearest image size that fits: ${unit}`
}

/**
 * States that a map divides into windows, and does nothing else; put where a stage begins, it says which image
 * sizes fit, where `windows` could only speak of the map. `[height, width, dim] → [height, width, dim]`.
 * Errors: `expectsImage`, `stageDoesNotDivide` (with the nearest image sizes that fit), `notAPair`, `notASize`, `unknownOption`.
 *
 * @example
 * pipe(input(56, 56, 96), expectWindows({ stage: 1, stages: 4, windowSize: 7, patchSize: 4 })) // Model<[56, 56, 96], [56, 56, 96]>
 */
export const expectWindows = <const N extends number, const T extends number, const W extends Pair, const P extends Pair, const K extends Exclude<WindowClamp, 'never'> = 'each'>(
  config: ExpectWindowsConfig<N, T, W, P, K>,
): Layer<ExpectWindows<N, T, W, P, K>> => {
  const { stage, stages, windowSize, patchSize, clamp = 'each' } = config
  return defineLayer('expectWindows', expectWindows, [config], {
    config: { stage, stages, windowSize, patchSize, clamp },
    check: shape =>
      firstOf(
        () => pairs('expectWindows', { windowSize, patchSize }),
        () => sizes('expectWindows', { stage, stages, windowSize: pairOf(windowSize)[0], 'window width': pairOf(windowSize)[1], patchSize: pairOf(patchSize)[0], 'patch width': pairOf(patchSize)[1] }),
        () => oneOf('expectWindows', 'clamp', clamp, ['each', 'both']),
        () => image('expectWindows', shape),
        () => fit(shape, fitWindow(shape[0]!, shape[1]!, windowSize, 0, clamp).size, pairOf(patchSize), stage, stages),
      ),
    traits: { reach: 'element' },
    forward: x => x,
  })
}

/** What generators may give {@link expectWindows}. */
export const expectWindowsArguments: Arguments = [choice.options({ stage: choice.whole(1, 2), stages: choice.whole(2, 3), windowSize: choice.oneOrTwo(choice.divisorOf('height'), choice.divisorOf('width')), patchSize: choice.oneOrTwo(choice.whole(1, 4)) }, { clamp: choice.among('each', 'both') })]

const fit = (shape: Shape, window: readonly [number, number], patch: readonly [number, number], stage: number, stages: number): Problem | undefined => {
  const [height, width] = shape as readonly [number, number]
  const axis = ([0, 1] as const).find(i => leavesRest(shape[i]!, window[i]))
  if (axis === undefined) return undefined
  const remedy = nearestImages(shape[axis]! * patch[axis] * 2 ** (stage - 1), patch[axis] * 2 ** (stages - 1) * window[axis], window[axis])
  return misfit('stageDoesNotDivide', { stage, height, width, window: window[0] === window[1] ? window[0] : `${window[0]}×${window[1]}` }, { remedy })
}
