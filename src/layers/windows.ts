import { concat, constant, reshape, slice, transpose } from '../ops/ops.js'
import { isTensor, type Tensor } from '../ops/tensor.js'
import type { Agree } from '../shape/agree.js'
import type { Multiply } from '../shape/natural.js'
import { type HeightOf, type Pair, pairOf, type WidthOf } from '../shape/patches.js'
import { problem, type Problem } from '../shape/problem.js'
import { type Shape, show, type Show, sizeOf } from '../shape/shape.js'
import { type AnyShapeError, type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { Apply, ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { type FitWindow, fitWindow, type LeavesRest, leavesRest, multiples, type Multiples, type WindowClamp } from './core/fitWindow.js'
import { type AnyLayer, defineLayer, type Layer, type ShapeFunctionOf } from './core/layer.js'
import { firstOf, image, oneOf, pairs, sizes } from './core/preconditions.js'
import { refuse, shapeOfSignal } from './core/refuse.js'
import { shiftedWindowMask } from './core/shiftedWindowMask.js'

/** Options of {@link windows}. */
export interface WindowsConfig<W extends Pair, P extends boolean, K extends WindowClamp> {
  /** Tokens along a side of a window, one number or `[height, width]`. */
  readonly windowSize: W
  /** How far the map is rolled up and left before it is cut, and back afterwards (default 0). */
  readonly shift?: Pair
  /** Whether a map that does not divide is filled up with zeros, below and right, after the roll (default false). */
  readonly padding?: P
  /** What becomes of a window larger than the map (default `each`: it becomes the map). */
  readonly clamp?: K
  /**
   * Whether the places of a window lie evenly over the whole map instead of side by side (default false): the grid
   * attention of MaxViT (Tu et al., 2022, section 3.2); with windows an n-th as high and wide as the map, what MobileViT
   * does across patches of n×n (Mehta and Rastegari, 2021, section 3.1). Such windows do not shift.
   */
  readonly dilated?: boolean
}

/** The shape function of {@link windows}. Where the compiler does not know whether maps are padded, it refuses none. */
export interface Windows<W extends Pair, P extends boolean, K extends WindowClamp, F extends ShapeFunction> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer H extends number, infer V extends number, infer C extends number]
    ? FitWindow<H, V, HeightOf<W>, WidthOf<W>, K> extends [infer WH extends number, infer WW extends number]
      ? [P] extends [false] ? LeavesRest<H, WH> extends true ? DoesNotFit<H, V, WH, WW, Multiples<H, WH>>
        : LeavesRest<V, WW> extends true ? DoesNotFit<H, V, WH, WW, Multiples<V, WW>>
        : Inside<H, V, C, Multiply<WH, WW>, F>
      : Inside<H, V, C, Multiply<WH, WW>, F>
      : never
    : Expects<'expectsImage', 'windows', this['in']>
}
type Inside<H extends number, V extends number, C extends number, N extends number, F extends ShapeFunction> = Apply<F, readonly [N, C]> extends infer O
  ? O extends AnyShapeError ? O
  : O extends readonly [infer M extends number, infer D extends number] ? ([Agree<readonly [M], readonly [N]>] extends [never] ? Changes<N, C, O> : readonly [H, V, D])
  : Changes<N, C, O>
  : never
type Changes<N extends number, C extends number, O> = Misfit<'windowsChange', { before: Show<readonly [N, C]>; after: Show<O> }, 'windows'>
type DoesNotFit<H extends number, V extends number, WH extends number, WW extends number, Remedy extends string> =
  Misfit<'windowsDoNotFit', { height: H; width: V; windowHeight: WH; windowWidth: WW }, 'windows', Remedy>

/**
 * Cuts a map into windows, runs a block on each, and puts them back (Liu et al., 2021, section 3.2); the block
 * sees `[window tokens, channels]` and must keep the tokens. `[height, width, channels] → [height, width, dim]`.
 * With a shift the map is rolled first and rolled back last, and attention inside is masked where a window
 * holds tokens from opposite borders; `attn_mask` is then a feature. Windows share the block's weights.
 *
 * Errors: `expectsImage`, `windowsDoNotFit` (with the nearest sizes that fit), `windowsChange`, `notAShift`,
 * `notAPair`, `notASize`, `unknownOption`; those of the block.
 *
 * @example
 * pipe(input(56, 56, 96), windows({ windowSize: 7, shift: 3 }, windowAttention({ numHeads: 3 }))) // Model<[56, 56, 96], [56, 56, 96]>
 */
export const windows = <const W extends Pair, L extends AnyLayer, const P extends boolean = false, const K extends WindowClamp = 'each'>(config: WindowsConfig<W, P, K>, block: L): Layer<Windows<W, P, K, ShapeFunctionOf<L>>> => {
  const { windowSize, shift = 0, padding = false, clamp = 'each', dilated = false } = config
  return defineLayer('windows', windows, [config, block], {
    config: { windowSize, shift, padding, clamp, dilated },
    check: shape =>
      firstOf(
        () => pairs('windows', { windowSize, shift }),
        () => sizes('windows', { windowSize: pairOf(windowSize)[0], 'window width': pairOf(windowSize)[1] }),
        () => oneOf('windows', 'clamp', clamp, ['each', 'both', 'never']),
        () => shifts(windowSize, shift, dilated),
        () => image('windows', shape),
        () => (padding ? undefined : fit(shape, fitWindow(shape[0]!, shape[1]!, windowSize, shift, clamp).size)),
      ),
    forward: (x, { applyToEach, path, record }) => {
      const [height, width] = x.shape as readonly [number, number, number]
      const { size, shift: by } = fitWindow(height, width, windowSize, shift, clamp)
      const map = [Math.ceil(height / size[0]) * size[0], Math.ceil(width / size[1]) * size[1]] as const
      const cut = partition(padded(rolled(x, by), map), size, dilated)
      const isShifted = by[0] > 0 || by[1] > 0
      const mask = isShifted ? constant(shiftedWindowMask(map, size, by), [cut.shape[0]!, cut.shape[1]!, cut.shape[1]!]) : undefined
      if (mask !== undefined) record(path === '' ? 'attn_mask' : `${path}.attn_mask`, mask)
      const out = applyToEach(block, cut, mask === undefined ? { size } : { size, mask })
      if (!isTensor(out) || out.shape.length !== 3 || out.shape[1] !== cut.shape[1]) {
        const after = isTensor(out) ? out.shape.slice(1) : shapeOfSignal(out)
        return refuse('windowsChange', { before: show(cut.shape.slice(1)), after: show(after) })
      }
      const whole = slice(joined(out, map, size, dilated), [0, 0, 0], [height, width, out.shape[2]!])
      return rolled(whole, [-by[0], -by[1]])
    },
  })
}

/** What generators may give {@link windows}. */
export const windowsArguments: Arguments = [choice.options({ windowSize: choice.oneOrTwo(choice.either(choice.divisorOf('height'), choice.whole(2, 4)), choice.either(choice.divisorOf('width'), choice.whole(2, 4))) }, { shift: choice.oneOrTwo(choice.whole(0, 2)), padding: choice.flag, clamp: choice.among('each', 'both', 'never'), dilated: choice.flag }), choice.layer('tokens')]

const shifts = (windowSize: Pair, shift: Pair, dilated: boolean): Problem | undefined => {
  const [window, by] = [pairOf(windowSize), pairOf(shift)]
  const axis = by.findIndex((n, i) => !(Number.isInteger(n) && n >= 0 && n < window[i]!))
  if (axis < 0) return dilated && by.some(n => n > 0) ? problem('notAShift', `windows: dilated windows do not shift, got ${by.join('×')}`, { remedy: 'leave out the shift, or dilated' }) : undefined
  return problem('notAShift', `windows: shift must be a whole number from 0 and below the window's ${window[axis]}, got ${String(by[axis])}`)
}

const fit = ([height, width]: Shape, [windowHeight, windowWidth]: readonly [number, number]): Problem | undefined => {
  for (const [size, window] of [[height!, windowHeight], [width!, windowWidth]] as const)
    if (leavesRest(size, window)) return misfit('windowsDoNotFit', { height: height!, width: width!, windowHeight, windowWidth }, { remedy: multiples(size, window) })
  return undefined
}

/** The map moved up and left by some rows and columns, which come back in below and right. */
const rolled = (x: Tensor, shift: readonly [number, number]): Tensor =>
  shift.reduce<Tensor>((map, by, axis) => {
    const size = map.shape[axis]!
    const from = ((by % size) + size) % size
    if (from === 0) return map
    const part = (begin: number, count: number): Tensor => slice(map, map.shape.map((_, i) => (i === axis ? begin : 0)), map.shape.map((n, i) => (i === axis ? count : n)))
    return concat([part(from, size - from), part(0, from)], axis)
  }, x)

const padded = (x: Tensor, map: readonly [number, number]): Tensor =>
  map.reduce<Tensor>((t, size, axis) => {
    const zeros = t.shape.map((n, i) => (i === axis ? size - n : n))
    return zeros[axis] === 0 ? t : concat([t, constant(new Float32Array(sizeOf(zeros)), zeros)], axis)
  }, x)

/** `[rows · height, columns · width, dim] → [rows · columns, height · width, dim]`. Places of one window lie side by side, or `rows` and `columns` apart. */
const partition = (x: Tensor, [height, width]: readonly [number, number], dilated: boolean): Tensor => {
  const [rows, columns, dim] = [x.shape[0]! / height, x.shape[1]! / width, x.shape[2]!]
  const cut = dilated ? transpose(reshape(x, [height, rows, width, columns, dim]), [1, 3, 0, 2, 4]) : transpose(reshape(x, [rows, height, columns, width, dim]), [0, 2, 1, 3, 4])
  return reshape(cut, [rows * columns, height * width, dim])
}

/** The reverse of {@link partition}. */
const joined = (x: Tensor, map: readonly [number, number], [height, width]: readonly [number, number], dilated: boolean): Tensor => {
  const [rows, columns, dim] = [map[0] / height, map[1] / width, x.shape[2]!]
  return reshape(transpose(reshape(x, [rows, columns, height, width, dim]), dilated ? [2, 0, 3, 1, 4] : [0, 2, 1, 3, 4]), [map[0], map[1], dim])
}
