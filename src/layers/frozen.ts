import type { Signal } from '../ops/tensor.js'
import { problem } from '../shape/problem.js'
import type { SignalShape } from '../shape/shape.js'
import { type Arguments, choice } from './core/choice.js'
import { misspeltPath, type Statistics } from './core/freezing.js'
import { type AnyLayer, defineLayer, type Layer, type ShapeFunctionOf } from './core/layer.js'
import { firstOf, oneOf } from './core/preconditions.js'

/** Options of {@link frozen}. */
export interface FrozenConfig {
  /** What stays as it is: patterns of paths with spaces between, from the layer's own place; `!` in front takes back (default `**`, all). */
  readonly paths?: string
  /**
   * Whether batch norms whose statistics are among the paths go on counting in training and normalise by the batch
   * (`update`, the default, as PyTorch does for parameters that need no gradient), or run as in inference (`keep`).
   */
  readonly statistics?: Statistics
}

/**
 * A layer whose parameters, or some of them, are not trained: their role is `frozen`, their names stay, no gradient
 * is computed for them, and they count as parameters. Dropout inside still acts. Around a layer that is frozen
 * already, the outer one decides. `[...] → [...]` of the layer.
 *
 * Errors: `badPattern`, `unknownPath` (a path that means no parameter, with one that is near), `unknownOption`; those of the layer.
 *
 * @example
 * pipe(input(197, 192), frozen({ paths: 'attn norm1' }, encoderBlock({ numHeads: 3 }))) // Model<[197, 192], [197, 192]>
 */
export const frozen = <L extends AnyLayer>(config: FrozenConfig, layer: L): Layer<ShapeFunctionOf<L>> => {
  const { paths = '**', statistics = 'update' } = config
  const own = { paths: String(paths).split(' '), statistics }
  // The layer itself but for what it says of its parameters, so that their names stay where they were.
  const { label, scope, accepts, check, parameters, forward, freezing, traits } = layer.definition
  return defineLayer<ShapeFunctionOf<L>, Signal, SignalShape>('frozen', frozen, [config, layer], {
    label,
    config: { paths, statistics },
    scope,
    accepts,
    check: (shape, window) =>
      firstOf(
        () => (typeof paths === 'string' ? undefined : problem('badPattern', `frozen: paths must be a text, patterns with spaces between, got ${String(paths)}`)),
        () => oneOf('frozen', 'statistics', statistics, ['update', 'keep']),
        () => misspeltPath(own),
        () => check(shape as never, window),
      ),
    parameters: (shape, window) => parameters(shape as never, window),
    forward: (x, context) => forward(x as never, context),
    traits,
    freezing: [...freezing, own],
  })
}

/** What generators may give {@link frozen}. */
export const frozenArguments: Arguments = [choice.options({}, { statistics: choice.among('update', 'keep') }), choice.layer()]
