import type { Signal } from '../ops/tensor.js'
import type { SignalShape } from '../shape/shape.js'
import type { Apply, ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { type AnyLayer, defineLayer, isLayer, type Layer, type ShapeFunctionOf } from './core/layer.js'
import { byName } from './core/preconditions.js'
import type { OrFirstError } from './fanOut.js'
import { linear } from './linear.js'

type Parts = Readonly<Record<string, AnyLayer>>

/** The shape function of {@link subnetwork}. */
export type Subnetwork<P extends AnyLayer | Parts> = P extends AnyLayer ? ShapeFunctionOf<P> : P extends Parts ? Subnetworks<P> : never

/** With several parts. */
export interface Subnetworks<R extends Parts> extends ShapeFunction {
  readonly out: OrFirstError<{ readonly [K in keyof R]: Apply<ShapeFunctionOf<R[K]>, this['in']> }>
}

/**
 * A layer that works with weights of a larger one: `part` computes, each of its weights being the leading slice (the
 * first elements along each axis) of the weight of that name in `whole`, as in the weight-entangled supernets of
 * AutoFormer (Chen et al., 2021, section 3.1). `[...] → [...]` of `part`. Several parts, by name, share the weights, and
 * each gives its own output: `[...] → { name: [...] }`.
 *
 * The parameters are those of `whole`, all of them, by their names; `whole` itself computes nothing. Errors: `notAPart`
 * (a part has a weight that the whole lacks, or a larger one, or a slice of running statistics), `notARecord`; those of the layers.
 *
 * @example
 * pipe(input(5, 8), subnetwork(linear(6), linear(4))) // Model<[5, 8], [5, 4]>
 */
export const subnetwork = <const P extends AnyLayer | Parts>(whole: AnyLayer, part: P): Layer<Subnetwork<P>> => {
  const only = isLayer(part) ? part : undefined
  return defineLayer<Subnetwork<P>, Signal, SignalShape>('subnetwork', subnetwork, [whole, part], {
    accepts: 'any',
    check: () => (only !== undefined ? undefined : byName('subnetwork', part)),
    traits: { shares: 'parts use the same weights, and the whole may have some that none uses' },
    forward: (x, { within }) => {
      if (only !== undefined) return within(whole, [only], x)[0]!
      const made = within(whole, Object.values(part as Parts), x)
      return Object.freeze(Object.fromEntries(Object.keys(part).map((name, i) => [name, made[i]!])))
    },
  })
}

/** What generators may give {@link subnetwork}. */
export const subnetworkArguments: Arguments = [choice.among(linear(5)), choice.among(linear(3), linear(5, { bias: false }))]
