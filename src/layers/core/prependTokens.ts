import { concat, reshape } from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'
import type { Add } from '../../shape/natural.js'
import type { Expects } from '../../shape/shapeError.js'
import type { ShapeFunction } from '../../shape/shapeFunction.js'
import { type AnyLayer, defineLayer, type Layer } from './layer.js'
import { firstOf, sizes, tokens } from './preconditions.js'

/** Prepends `Count` tokens; `Name` is the layer's, for its sentence. */
export interface Prepend<Count extends number, Name extends string> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer N extends number, infer C extends number]
    ? readonly [Add<N, Count>, C]
    : Expects<'expectsTokens', Name, this['in']>
}

/** A layer that puts `count` learned tokens before the others; `parameter` is their published name. With a `vector`, that is its name, and it is stored without axes in front. */
export const prependTokens = <const Count extends number, const Name extends string>(
  name: Name,
  make: (...args: never[]) => AnyLayer,
  args: readonly unknown[],
  parameter: string,
  count: Count,
  own?: { readonly vector: string | undefined },
): Layer<Prepend<Count, Name>> => {
  const [called, isVector] = [own?.vector ?? parameter, own?.vector !== undefined]
  return defineLayer(name, make, args, {
    config: { count, ...own },
    check: shape => firstOf(() => sizes(name, { count }), () => tokens(name, shape)),
    parameters: shape => ({ [called]: { shape: isVector ? [shape[1] as number] : [1, count, shape[1] as number], initialiser: { kind: 'truncatedNormal', std: 0.02 } } }),
    traits: { reach: 'channel' },
    forward: (x, { parameters }) => {
      const learned = parameters[called] as Tensor<'parameter'>
      return concat([reshape(learned, [count, x.shape[1] as number]), x], 0)
    },
  })
}
