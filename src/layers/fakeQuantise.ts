import { problem, type Problem } from '../shape/problem.js'
import { show, type Shape } from '../shape/shape.js'
import { type Arguments, choice } from './core/choice.js'
import type { KeepsShape } from './core/elementwise.js'
import { defineLayer, type Layer } from './core/layer.js'
import { fakeQuantised, type QuantisationGrid } from './core/quantise.js'

/** Options of {@link fakeQuantise}. */
export type FakeQuantiseConfig = QuantisationGrid

/**
 * What arrives, as it is once it has been stored in few bits: `scale · clamp(round(x / scale), range − zeroPoint)`, halves
 * going to the even neighbour (Jacob et al., 2018, equation 12), so that a model learns to live with it. `[...] → [...]`.
 * The gradient passes straight through inside the range, and not at all outside (Bengio et al., 2013, section 4).
 *
 * Errors: `expectsTensor`, `notAScale`, `notARange`, `scalesDiffer` (not one scale or zero point for each slice along `axis`).
 *
 * @example
 * pipe(input(197, 192), fakeQuantise({ scale: 0.01, zeroPoint: 113, range: [0, 255] })) // Model<[197, 192], [197, 192]>
 */
export const fakeQuantise = (config: FakeQuantiseConfig): Layer<KeepsShape<'fakeQuantise'>> => {
  const { scale, zeroPoint = 0, range = [-128, 127], axis } = config
  return defineLayer('fakeQuantise', fakeQuantise, [config], {
    config: { scale, zeroPoint, range, axis },
    check: shape => misfit(shape, config),
    traits: { reach: 'element' },
    forward: x => fakeQuantised(x, config),
  })
}

/** What generators may give {@link fakeQuantise}. */
export const fakeQuantiseArguments: Arguments = [choice.options({ scale: choice.among(0.05, 0.5) }, { zeroPoint: choice.among(0, 3), range: choice.among([-8, 7], [0, 15]) })]

const misfit = (shape: Shape, { scale, zeroPoint = 0, range = [-128, 127], axis = shape.length - 1 }: FakeQuantiseConfig): Problem | undefined => {
  const scales = typeof scale === 'number' ? [scale] : scale
  if (!Array.isArray(scales) || !scales.every(value => Number.isFinite(value) && value > 0)) return problem('notAScale', `fakeQuantise: scale must be a number above 0, or a list of such, got ${String(scale)}`)
  const [least, most] = Array.isArray(range) ? (range as readonly number[]) : []
  const zeros: readonly number[] = [zeroPoint].flat()
  const fits = [least, most, ...zeros].every(Number.isInteger) && least! < most! && zeros.every(zero => zero >= least! && zero <= most!) && most! - least! < 2 ** 16
  if (!fits) return problem('notARange', `fakeQuantise: a range is two whole numbers with the zero point in between, less than 2^16 apart; got ${String(range)} and ${String(zeroPoint)}`)
  const odd = Object.entries({ scales: scale, 'zero points': zeroPoint }).find(([, values]) => typeof values !== 'number' && values.length !== shape[axis])
  return odd === undefined ? undefined : problem('scalesDiffer', `fakeQuantise: there are ${(odd[1] as readonly number[]).length} ${odd[0]} for axis ${String(axis)} of ${show(shape)}`)
}
