import { Arbitrary, Stream, Value, type Random } from 'fast-check'
import { isModel, type AnyModel } from '../../layers/core/model.js'
import { smallerModels, traces } from '../shrink/smallerModels.js'
import { toSource } from '../source/toSource.js'
import { choicesFrom } from './choices.js'
import { grow, type GrowOptions } from './grow.js'

/**
 * Random architectures for fast-check, valid by construction: each traces, in inference and in training. One that fails
 * shrinks by its structure, as `shrinkModel` would, and any model can be shrunk so.
 *
 * @example
 * fc.sample(architectures({ inputs: ['image'] }), 3).every(model => isRight(trace(model))) // true
 */
export const architectures = (options: GrowOptions = {}): Arbitrary<AnyModel> => new Architectures(options)

class Architectures extends Arbitrary<AnyModel> {
  constructor(private readonly options: GrowOptions) {
    super()
  }

  override generate(random: Random): Value<AnyModel> {
    return new Value(grow(choicesFrom(() => random.nextInt(0, 2 ** 32 - 1)), this.options), undefined)
  }

  override canShrinkWithoutContext(value: unknown): value is AnyModel {
    return isModel(value)
  }

  override shrink(model: AnyModel): Stream<Value<AnyModel>> {
    const source = toSource(model)
    return new Stream(smallerModels(model)).filter(smaller => traces(smaller) && toSource(smaller) !== source).map(smaller => new Value(smaller, undefined))
  }
}
