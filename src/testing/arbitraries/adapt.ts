import type { AnyLayer } from '../../layers/core/layer.js'
import { linear } from '../../layers/linear.js'
import { parallel } from '../../layers/parallel.js'
import { registerTokens } from '../../layers/registerTokens.js'
import { resize } from '../../layers/resize.js'
import { skipTokens } from '../../layers/skipTokens.js'
import { agree } from '../../shape/agree.js'
import { isIntegers, isShape, type SignalShape } from '../../shape/shape.js'

/**
 * The layers that turn one signal into another, such as a branch's output into what a residual needs; nothing
 * where there is no way.
 *
 * @example
 * adapt([5, 4], [5, 6])?.map(layer => layer.definition.kind) // ['linear']
 */
export const adapt = (from: SignalShape, to: SignalShape): readonly AnyLayer[] | undefined => {
  if (agree(from, to)) return []
  if (isIntegers(from) || isIntegers(to) || isShape(from) !== isShape(to)) return undefined
  if (!isShape(from) || !isShape(to)) return fields(from as Fields, to as Fields)
  if (from.length !== to.length || from.length === 0) return undefined
  const places = adaptPlaces(from, to)
  return places === undefined ? undefined : [...places, ...(from.at(-1) === to.at(-1) ? [] : [linear(to.at(-1)!)])]
}

const adaptPlaces = (from: readonly number[], to: readonly number[]): readonly AnyLayer[] | undefined => {
  const isSame = from.slice(0, -1).every((size, i) => size === to[i])
  if (isSame) return []
  if (from.length === 2) return from[0]! > to[0]! ? [skipTokens(from[0]! - to[0]!)] : [registerTokens(to[0]! - from[0]!)]
  return from.length === 3 ? [resize([to[0]!, to[1]!])] : undefined
}

type Fields = { readonly [name: string]: SignalShape }

const fields = (from: Fields, to: Fields): readonly AnyLayer[] | undefined => {
  const names = Object.keys(from)
  if (names.length !== Object.keys(to).length || names.some(name => !(name in to))) return undefined
  const ways = names.map(name => [name, adapt(from[name]!, to[name]!)] as const)
  if (ways.some(([, way]) => way === undefined || way.length > 1)) return undefined
  return [parallel(Object.fromEntries(ways.flatMap(([name, way]) => way!.map(layer => [name, layer] as const))))]
}
