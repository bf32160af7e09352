import { toJson } from '../../exporters/json/toJson.js'
import type { AnyModel } from '../../layers/core/model.js'
import { trace } from '../../graph/trace.js'
import { reduced } from '../reduce/reduced.js'
import { isolate } from '../shrink/isolate.js'
import { placesOf, type Place } from '../shrink/placesOf.js'

/** A part of a model that laws are checked on: a layer alone, or the whole. */
export interface Part {
  /** `whole`, or the kind of layer and the path it stands at. */
  readonly name: string
  readonly path: string
  readonly kind: string
  /** The constructor of the layer. */
  readonly make?: unknown
  /** Scaled down. */
  readonly model: AnyModel
  /** How it was scaled down, in words. */
  readonly scaled: string
}

/** Combinators that only put layers in a row: one of each kind stands for all. */
const plain = new Set(['serial', 'named', 'when', 'stages', 'identity'])

/** What tells a layer from others of its kind: its options, but for how wide it is, and what it is given, but for how much. */
const sortOf = ({ input, layers }: AnyModel): string => {
  const only = layers[0]!.definition.kind
  if (plain.has(only)) return only
  const isWidth = (key: string): boolean => /dim|channels|hidden|groups|classes|positions?Dim|size$/i.test(key) && !/kernel|window|patch/i.test(key)
  const shape = (sizes: readonly number[]): string => sizes.map((size, axis) => (size === 1 ? '1' : axis === sizes.length - 1 ? 'channels' : size % 2 === 0 ? 'even' : 'odd')).join()
  return JSON.stringify([input, toJson({ input, layers } as AnyModel)], (key, value: unknown) =>
    key === 'shape' || key === 'input' ? (Array.isArray(value) ? shape(value as readonly number[]) : value)
    : Array.isArray(value) && value[0] === 'linear' ? ['linear', value[2] ?? {}]
    : typeof value === 'number' && (isWidth(key) || key === 'numHeads') ? 'n' : value)
}

/**
 * Every sort of layer in a model alone, on what it is given where it stands, each scaled down; inner ones first, the
 * whole last.
 *
 * @example
 * partsOf(pipe(input(5, 8), mlp())).map(part => part.kind) // ['linear', 'mlp', 'whole']
 */
export const partsOf = <M extends Pick<AnyModel, 'input' | 'layers'>>(model: M): readonly Part[] => {
  const whole = reduced(model)
  const parts: Part[] = []
  const seen = new Set<string>()
  const visit = (place: Place): void => {
    place.children.forEach(visit)
    const alone = isolate(place)
    if (alone === undefined || trace(alone)._tag === 'Left') return
    const { model: small, note } = reduced(alone)
    const key = sortOf(small)
    if (seen.has(key)) return
    seen.add(key)
    const { kind, make } = place.layer.definition
    parts.push({ name: place.path === '' ? kind : `${kind} at ${place.path}`, path: place.path, kind, make, model: small, scaled: note })
  }
  placesOf(whole.model).forEach(visit)
  return [...parts, { name: 'whole', path: '', kind: 'whole', model: whole.model, scaled: whole.note }]
}
