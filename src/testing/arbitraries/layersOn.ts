import { Arbitrary, Stream, Value, type Random } from 'fast-check'
import { isLayer, type AnyLayer } from '../../layers/core/layer.js'
import { identity } from '../../layers/identity.js'
import type { SignalShape } from '../../shape/shape.js'
import { smallerLayers } from '../shrink/smallerLayers.js'
import { choicesFrom } from './choices.js'
import { growLayer, type GrowOptions } from './grow.js'
import { shapeAfter } from './shapeAfter.js'

/**
 * Random layers that fit a signal, with layers inside them perhaps. Where none of those asked for fits, `identity()`.
 *
 * @example
 * fc.sample(layersOn([5, 6], { layers: ['selfAttention'] }), 1)[0].definition.kind // 'selfAttention'
 */
export const layersOn = (signal: SignalShape, options: GrowOptions = {}): Arbitrary<AnyLayer> => new LayersOn(signal, options)

class LayersOn extends Arbitrary<AnyLayer> {
  constructor(private readonly signal: SignalShape, private readonly options: GrowOptions) {
    super()
  }

  override generate(random: Random): Value<AnyLayer> {
    return new Value(growLayer(choicesFrom(() => random.nextInt(0, 2 ** 32 - 1)), this.signal, this.options) ?? identity(), undefined)
  }

  override canShrinkWithoutContext(value: unknown): value is AnyLayer {
    return isLayer(value)
  }

  override shrink(layer: AnyLayer): Stream<Value<AnyLayer>> {
    return new Stream(smallerLayers(layer)).filter(smaller => shapeAfter(smaller, { signal: this.signal }) !== undefined).map(smaller => new Value(smaller, undefined))
  }
}
