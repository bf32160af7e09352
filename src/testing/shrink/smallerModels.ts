import { trace } from '../../graph/trace.js'
import type { AnyLayer } from '../../layers/core/layer.js'
import { model, type AnyModel, type InputSpec } from '../../layers/core/model.js'
import { isOfLibrary } from '../source/valueToSource.js'
import { layersOf } from './countLayers.js'
import { isolate } from './isolate.js'
import { mapNumbers, numbersOf } from './mapNumbers.js'
import { placesOf, type Place } from './placesOf.js'
import { smallerLayers } from './smallerLayers.js'

/** Whether a model traces, in inference and in training. */
export const traces = (m: AnyModel): boolean => {
  try {
    return trace(m)._tag === 'Right' && trace(m, { mode: 'training' })._tag === 'Right'
  } catch {
    return false
  }
}

/**
 * Models that are smaller than one, the boldest cuts first: single layers on what arrives at them, runs of layers,
 * layers with less in them, fewer options, fewer axes, smaller numbers. They need not trace.
 */
export function* smallerModels(m: AnyModel): Generator<AnyModel> {
  yield* isolated(m)
  yield* cuts(m)
  for (const [i, layer] of m.layers.entries()) {
    const inner = layersOf(layer)
    // What a list of layers holds may stand in its place.
    if (inner.length > 1) yield model(m.input, m.layers.flatMap((l, j) => (j === i ? inner : [l])))
    for (const smaller of smallerLayers(layer)) yield model(m.input, m.layers.map((l, j) => (j === i ? smaller : l)))
  }
  yield* opened(m)
  if ('shape' in m.input && m.input.shape.length > 1) yield model({ ...m.input, shape: m.input.shape.slice(1) }, m.layers)
  yield* withSmallerNumbers(m)
}

/** Every layer in a model by itself, innermost first; layers that no text can name (a block's private parts) are left inside theirs. */
export function* isolated(m: AnyModel): Generator<AnyModel> {
  const named = new Set<AnyLayer>()
  const name = (layers: readonly AnyLayer[]): void => layers.forEach(layer => (named.add(layer), name(layersOf(layer))))
  name(m.layers)
  const flat = (places: readonly Place[]): readonly Place[] => places.flatMap(place => [...flat(place.children), place])
  // Leaves first; of equals the one that comes first.
  const places = flat(placesOf(m)).filter(({ layer }) => isOfLibrary(layer) || named.has(layer))
  const size = (place: Place): number => 1 + place.children.reduce((sum, child) => sum + size(child), 0)
  for (const place of [...places].sort((a, b) => size(a) - size(b))) {
    const alone = isolate(place)
    if (alone !== undefined) yield alone
  }
}

/** A model with one of its blocks, such as `encoderBlock`, replaced by the layers that it applies: all of them in a row, or one. */
function* opened(m: AnyModel): Generator<AnyModel> {
  const places = placesOf(m)
  for (const [i, layer] of m.layers.entries()) {
    const inner = layersOf(layer).length > 0 ? [] : (places.find(place => place.layer === layer)?.children ?? []).map(child => child.layer).filter(isOfLibrary)
    if (inner.length > 1) yield model(m.input, m.layers.flatMap((l, j) => (j === i ? inner : [l])))
    for (const one of inner) yield model(m.input, m.layers.map((l, j) => (j === i ? one : l)))
  }
}

/** A model without some of its layers: halves, quarters and so on from the front, the back and the middle. */
function* cuts(m: AnyModel): Generator<AnyModel> {
  const count = m.layers.length
  const inputs = inputsOf(m)
  for (let size = Math.ceil(count / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    if (size === count) continue
    for (let from = 0; from < count; from += size) {
      const to = Math.min(count, from + size)
      const input = inputs[to]
      if (from === 0 && input !== undefined) yield model(input, m.layers.slice(to))
      else yield model(m.input, [...m.layers.slice(0, from), ...m.layers.slice(to)])
    }
  }
}

/** What arrives at each of a model's layers, as far as that is known. */
const inputsOf = (m: AnyModel): readonly (InputSpec | undefined)[] => {
  const places = placesOf(m)
  return m.layers.map(layer => places.find(place => place.layer === layer)?.input)
}

const targets = [1, 2, 3, 4, 5, 6, 8] as const

/** A model with one of its numbers made smaller: first wherever it stands, then at one place. */
function* withSmallerNumbers(m: AnyModel): Generator<AnyModel> {
  const numbers = numbersOf(m)
  const lower = (n: number): readonly number[] => [...new Set([...targets, Math.floor(n / 4), Math.floor(n / 2), n - 1])].filter(target => target >= 0 && target < n)
  for (const n of [...new Set(numbers)].sort((a, b) => b - a)) if (n > 1 && numbers.indexOf(n) !== numbers.lastIndexOf(n)) for (const target of lower(n)) yield mapNumbers(m, v => (v === n ? target : v))
  for (const [at, n] of numbers.entries()) if (n > 0) for (const target of lower(n)) yield mapNumbers(m, (v, i) => (i === at ? target : v))
}
