import { linear, transpose } from '../ops/ops.js'
import { problem } from '../shape/problem.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { channels, firstOf, sizes } from './core/preconditions.js'
import type { Linear } from './linear.js'

/** Options of {@link projection}. */
export interface ProjectionConfig<D extends number> {
  readonly dim: D
  /** What its matrix is called (default `proj`). */
  readonly parameter?: string
}

/**
 * A linear map without bias whose matrix is stored as `x · W` reads, and under a name of its own, as CLIP's checkpoints
 * have the last map of both towers (Radford et al., 2021, figure 3). `[..., in] → [..., dim]`.
 *
 * Parameter: `proj [in, dim]`, or another name, `text_projection [in, dim]`; it begins normal with deviation `1/√in`. Errors: `expectsChannels`,
 * `notASize`, `badName`.
 *
 * @example
 * pipe(input(768), projection({ dim: 512 })) // Model<[768], [512]>
 */
export const projection = <const D extends number>(config: ProjectionConfig<D>): Layer<Linear<D>> => {
  const { dim, parameter = 'proj' } = config
  return defineLayer('projection', projection, [config], {
    // The sentence is that of every linear map, to which this one is equal but for the way it is stored.
    label: 'linear',
    config: { dim, parameter },
    check: shape =>
      firstOf(
        () => (/^\w+$/.test(parameter) ? undefined : problem('badName', `linear: '${parameter}' is no name for a parameter; use letters, digits and underscores`)),
        () => sizes('linear', { dim }),
        () => channels('linear', shape),
      ),
    parameters: shape => ({ [parameter]: { shape: [shape.at(-1) as number, dim], initialiser: { kind: 'normal', std: (shape.at(-1) as number) ** -0.5 } } }),
    traits: { reach: 'place' },
    forward: (x, { parameters }) => linear(x, transpose(parameters[parameter]!, [1, 0])),
  })
}

/** What generators may give {@link projection}. */
export const projectionArguments: Arguments = [choice.options({ dim: choice.size }, { parameter: choice.among('text_projection') })]
