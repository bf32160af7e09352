import { add, layerNorm as normalise, multiply, reshape, transpose } from '../ops/ops.js'
import type { DivMod } from '../shape/natural.js'
import { type Shape, show, type Show } from '../shape/shape.js'
import { type AnyShapeError, misfit, type Misfit } from '../shape/shapeError.js'
import type { Apply, ShapeFunction } from '../shape/shapeFunction.js'
import { type Activation, activationNames, activations } from './core/activation.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer } from './core/layer.js'
import { amounts, channels, firstOf, oneOf, sizes } from './core/preconditions.js'
import type { KeepsChannels } from './layerNorm.js'

/** Options of {@link groupNorm}. */
export interface GroupNormConfig<G extends number> {
  /** Channels are split into this many groups (default 32). */
  readonly numGroups?: G
  /** Added to the variance inside the root (default 1e-5). */
  readonly epsilon?: number
  /** Applied to the result, where given. */
  readonly activation?: Activation
}

/** The shape function of {@link groupNorm}. */
export interface GroupNorm<G extends number> extends ShapeFunction {
  readonly out: Apply<KeepsChannels<'groupNorm'>, this['in']> extends infer S ? (S extends AnyShapeError ? S : Grouped<S, G>) : never
}
type Grouped<S, G extends number> = S extends readonly [...number[], infer C extends number]
  ? DivMod<C, G> extends readonly [number, infer R] ? (R extends 0 ? S : number extends R ? S : GroupsDoNotSplit<S, C, G>) : never
  : S
type GroupsDoNotSplit<S, C extends number, G extends number> = Misfit<'normGroupsDoNotSplit', { channels: C; numGroups: G; shape: Show<S> }, 'groupNorm'>

/**
 * Group normalisation (Wu and He, 2018): zero mean and unit (biased) variance over all places and the channels
 * of a group, then a learned scale and shift of each channel, then an activation if one is given. `[..., dim] → [..., dim]`.
 *
 * Parameters: `weight [dim]`, `bias [dim]`, under `norm`. Errors: `expectsChannels`, `normGroupsDoNotSplit`, `notASize`, `notAnAmount`, `unknownOption`.
 *
 * @example
 * pipe(input(56, 56, 64), groupNorm({ numGroups: 32 })) // Model<[56, 56, 64], [56, 56, 64]>
 */
export const groupNorm = <const G extends number = 32>(config: GroupNormConfig<G> = {}): Layer<GroupNorm<G>> => {
  const { numGroups = 32 as G, epsilon = 1e-5, activation } = config
  return defineLayer('groupNorm', groupNorm, [config], {
    config: { numGroups, epsilon, activation },
    scope: 'norm',
    check: shape =>
      firstOf(
        () => sizes('groupNorm', { numGroups }),
        () => amounts('groupNorm', { epsilon }),
        () => (activation === undefined ? undefined : oneOf('groupNorm', 'activation', activation, activationNames)),
        () => channels('groupNorm', shape),
        () => splits(shape, numGroups),
      ),
    parameters: shape => ({
      weight: { shape: [shape.at(-1) as number], initialiser: { kind: 'ones' } },
      bias: { shape: [shape.at(-1) as number], initialiser: { kind: 'zeros' } },
    }),
    forward: (x, { parameters }) => {
      const dim = x.shape.at(-1) as number
      const places = x.shape.slice(0, -1).reduce((n, size) => n * size, 1)
      const inGroup = dim / numGroups
      // A group as one row, which every backend normalises in one pass.
      const rows = reshape(transpose(reshape(x, [places, numGroups, inGroup]), [1, 0, 2]), [numGroups, places * inGroup])
      const back = transpose(reshape(normalise(rows, epsilon), [numGroups, places, inGroup]), [1, 0, 2])
      const y = add(multiply(reshape(back, x.shape), parameters['weight']!), parameters['bias']!)
      return activation === undefined ? y : activations[activation](y)
    },
  })
}

/** What generators may give {@link groupNorm}. */
export const groupNormArguments: Arguments = [choice.options({}, { numGroups: choice.divisorOf('channels'), epsilon: choice.epsilon, activation: choice.among(...activationNames) })]

const splits = (shape: Shape, numGroups: number) => {
  const dim = shape.at(-1) as number
  return dim % numGroups === 0 ? undefined : misfit('normGroupsDoNotSplit', { channels: dim, numGroups, shape: show(shape) })
}
