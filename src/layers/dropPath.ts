import { type Arguments, choice } from './core/choice.js'
import type { KeepsShape } from './core/elementwise.js'
import { defineLayer, type Layer } from './core/layer.js'
import { rates } from './core/preconditions.js'
import { drop } from './dropout.js'

/**
 * Stochastic depth (Huang et al., 2016): in training drops the whole signal of a sample and scales the
 * others by `1/(1 − rate)`; put it at the end of a residual branch. `[...] → [...]`. In inference it does
 * nothing. Errors: `expectsTensor`, `notARate`.
 *
 * @example
 * pipe(input(197, 192), residual(serial(layerNorm(), mlp(), dropPath(0.1)))) // Model<[197, 192], [197, 192]>
 */
export const dropPath = (rate: number): Layer<KeepsShape<'dropPath'>> =>
  defineLayer('dropPath', dropPath, [rate], {
    config: { rate },
    scope: 'drop_path',
    check: () => rates('dropPath', { rate }),
    traits: { reach: 'element', drops: 'sample' },
    forward: (x, context) => drop(x, rate, x.shape.map(() => 1), context),
  })

/** What generators may give {@link dropPath}. */
export const dropPathArguments: Arguments = [choice.rate]
