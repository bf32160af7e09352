import type { AnyLayer } from '../../layers/core/layer.js'
import { model, type AnyModel, type InputSpec } from '../../layers/core/model.js'
import { linear } from '../../layers/linear.js'
import { mapLayer } from '../../layers/mapLayer.js'
import { filledOptions, isOptions } from './filledOptions.js'

/** How much smaller a model is made. */
export interface Scale {
  /** What channels are divided by. */
  readonly channels: number
  /** Whether patches and windows become the smallest that still are some, and of two different sides where they may. */
  readonly patches: 'kept' | 'square' | 'uneven'
  /** The sizes of inputs, all axes but the channels. */
  readonly places?: readonly number[]
}

/**
 * The same layers over smaller signals. It may no longer fit; tracing tells.
 *
 * @example
 * scaled(pipe(input(5, 8), linear(4)), { channels: 2, patches: 'kept' }).layers[0].definition.args[0] // 2
 */
export const scaled = <M extends Pick<AnyModel, 'input' | 'layers'>>({ input, layers }: M, scale: Scale): AnyModel =>
  model(scaledInput(input, scale), layers.map(layer => mapLayer(layer, scaledLayer(scale)))) as unknown as AnyModel

const scaledInput = (spec: InputSpec, scale: Scale): InputSpec => {
  if ('fields' in spec) return { fields: Object.fromEntries(Object.entries(spec.fields).map(([name, field]) => [name, scaledInput(field, scale)])) }
  const { shape, dtype } = spec
  if (dtype === 'int32') return { dtype, shape: shape.map((size, axis) => Math.min(size, scale.places?.[axis] ?? size)) }
  // Colours are few, and patches know how many.
  if (shape.length > 2) return { dtype, shape: shape.map((size, axis) => (axis < 2 ? Math.min(size, scale.places?.[axis] ?? size) : size)) }
  const places = shape.slice(0, -1).map((size, axis) => Math.min(size, scale.places?.[axis] ?? size))
  return { dtype, shape: [...places, ...shape.slice(-1).map(size => divided(size, scale.channels))] }
}

/** Sizes that do not divide and are large, such as the number of classes, become a small prime. */
const divided = (size: number, by: number): number => (by === 1 ? size : size % by === 0 ? size / by : size > 64 ? 11 : size)

const scaledLayer = (scale: Scale) => (layer: AnyLayer): AnyLayer => {
  const { make, args, config } = layer.definition
  const changed = filledOptions(layer).map(arg =>
    isOptions(arg) ? Object.fromEntries(Object.entries(arg).map(([name, value]) => [name, scaledOption(name, value, config, scale)]))
    : typeof arg === 'number' && make === (linear as unknown) ? divided(arg, scale.channels)
    : arg,
  )
  return changed.every((arg, i) => JSON.stringify(arg) === JSON.stringify(args[i])) ? layer : make(...(changed as never[]))
}

const each = (value: unknown, f: (size: number) => number): unknown => (typeof value === 'number' ? f(value) : Array.isArray(value) && value.every(size => typeof size === 'number') ? value.map(f) : value)

/** A divisor of both patch and stride that leaves patches of two at least. */
const patchDivisor = ({ patchSize, stride }: Readonly<Record<string, unknown>>): number => {
  const sizes = [patchSize, stride].flat().filter((size): size is number => typeof size === 'number')
  const least = Math.min(...sizes)
  for (let by = Math.floor(least / 2); by > 1; by--) if (sizes.every(size => size % by === 0)) return by
  return 1
}

const scaledOption = (name: string, value: unknown, config: Readonly<Record<string, unknown>>, { channels, patches }: Scale): unknown => {
  if (/^(dim|hiddenDim|headDim|numGroups)$/.test(name)) return each(value, size => divided(size, channels))
  if (name === 'groupSize') return each(value, size => (size > 1 ? divided(size, channels) : size))
  if (channels > 1 && /^(positionDim|vocabularySize)$/.test(name)) return each(value, size => Math.min(size, 11))
  if (patches === 'kept') return value
  const small = (size: unknown): unknown => (size === 2 && patches === 'uneven' ? [2, 3] : size)
  if (name === 'windowSize') return Array.isArray(value) && value[0] !== value[1] ? [2, 3] : small(each(Array.isArray(value) ? value[0] : value, size => Math.min(size, 2)))
  if (name === 'shift') return each(value, by => Math.min(by, 1))
  if (name === 'patchSize' || (name === 'stride' && 'patchSize' in config)) {
    const by = patchDivisor(config)
    return small(each(value, size => size / by))
  }
  return value
}
