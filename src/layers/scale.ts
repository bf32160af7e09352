import { multiply, scalar } from '../ops/ops.js'
import { problem } from '../shape/problem.js'
import { type Arguments, choice } from './core/choice.js'
import { elementwise, type KeepsShape } from './core/elementwise.js'
import type { Layer } from './core/layer.js'

/**
 * Every element times a fixed number; see `layerScale` for a learned one. `[...] → [...]`.
 * Errors: `expectsTensor`, `notANumber`.
 *
 * @example
 * pipe(input(1000), scale(0.5)) // Model<[1000], [1000]>
 */
export const scale = (factor: number): Layer<KeepsShape<'scale'>> =>
  elementwise('scale', scale, [factor], x => multiply(x, scalar(factor)), { factor }, () =>
    Number.isFinite(factor) ? undefined : problem('notANumber', `scale: the factor must be a finite number, got ${String(factor)}`),
  )

/** What generators may give {@link scale}. */
export const scaleArguments: Arguments = [choice.among(0.5, -1, 2)]
