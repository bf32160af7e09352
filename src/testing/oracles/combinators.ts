import { isLayer, type AnyLayer } from '../../layers/core/layer.js'
import type { MergeKind } from '../../layers/merge.js'
import type { RepeatConfig } from '../../layers/repeat.js'
import { numbers, at, both, each, type Numbers } from './numbers.js'
import type { Place, Run, Values } from './oracle.js'

// Layers made of layers: they say only in which order, under which name and on which signal those run.

const inOrder = (runs: readonly Run[]): Run => (x, window) => {
  let signal = x
  for (const run of runs) signal = run(signal, window)
  return signal
}

export const serial = (place: Place, ...layers: readonly AnyLayer[]): Run => inOrder(layers.map(layer => place.bind(layer)))

export const stages = (place: Place, ...layers: readonly AnyLayer[]): Run => inOrder(layers.map((layer, i) => place.bind(layer, String(i))))

export const repeat = (place: Place, times: number, block: AnyLayer | ((index: number) => AnyLayer), { first = 0 }: RepeatConfig<number> = {}): Run =>
  inOrder(Array.from({ length: times }, (_, i) => place.bind(isLayer(block) ? block : block(i), String(first + i))))

export const named = (place: Place, name: string, layer: AnyLayer): Run => place.bind(layer, name)

// What marks a layer gives what the layer gives, at the very same place: `remat`, `tap` and `frozen`.
export const first = (place: Place, layer: AnyLayer): Run => place.bind(layer, '')
export const second = (place: Place, _: unknown, layer: AnyLayer): Run => place.bind(layer, '')

/** Instead of its output, outputs inside a layer. */
export const expose = (place: Place, layer: AnyLayer, paths: Readonly<Record<string, string>>): Run => {
  const run = place.bind(layer)
  return (x, window) => {
    const whole = run(x, window)
    return Object.fromEntries(Object.entries(paths).map(([name, path]) => [name, path === '' ? whole : place.given(path)]))
  }
}

/** Parts of a larger network, whose weights theirs are the first elements of. */
export const subnetwork = (place: Place, _: unknown, part: AnyLayer | Readonly<Record<string, AnyLayer>>): Run => {
  if (isLayer(part)) return place.inWhole().bind(part)
  const runs = Object.entries(part).map(([name, layer]) => [name, place.inWhole().bind(layer)] as const)
  return (x, window) => Object.fromEntries(runs.map(([name, run]) => [name, run(x, window)]))
}

export const unnamed = (place: Place, layer: AnyLayer): Run => place.bind(layer)

export const field = (_: Place, name: string): Run => x => (x as Readonly<Record<string, Values>>)[name]!

export const when = (place: Place, condition: boolean, layer: AnyLayer): Run => (condition ? place.bind(layer) : x => x)

/** In inference nothing is mixed. */
export const mixTokens = (place: Place, layer: AnyLayer): Run => {
  const run = place.bind(layer)
  return signal => {
    const { x, inside } = signal as Readonly<Record<'x' | 'inside', Values>>
    const given = run(x)
    return { ...(given.data instanceof Float64Array ? { output: given } : (given as Readonly<Record<string, Values>>)), inside }
  }
}

/** He et al., 2015, equations 1 and 2. */
export const residual = (place: Place, branch: AnyLayer, shortcut?: AnyLayer): Run => {
  const through = place.bind(branch)
  const around = shortcut === undefined ? (x: Values): Values => x : place.bind(shortcut)
  return (x, window) => both(around(x, window) as Numbers, through(x, window) as Numbers, (a, b) => a + b)
}

type Layers = Readonly<Record<string, AnyLayer>>
const bound = (place: Place, layers: Layers): readonly (readonly [string, Run])[] => Object.entries(layers).map(([name, layer]) => [name, layer.definition.kind === 'unnamed' ? place.bind(layer) : place.bind(layer, name)])

export const fanOut = (place: Place, layers: Layers): Run => {
  const runs = bound(place, layers)
  return (x, window) => Object.fromEntries(runs.map(([name, run]) => [name, run(x, window)]))
}

export const parallel = (place: Place, layers: Layers): Run => {
  const runs = new Map(bound(place, layers))
  return (x, window) => Object.fromEntries(Object.entries(x as Readonly<Record<string, Values>>).map(([name, field]) => [name, runs.get(name)?.(field, window) ?? field]))
}

export const merge = (_: Place, how: MergeKind): Run => x => {
  const fields = Object.values(x as Readonly<Record<string, Numbers>>)
  if (how === 'multiply') return fields.reduce((a, b) => both(a, b, (u, v) => u * v))
  if (how === 'concat') return fields.reduce(sideBySide)
  const sum = fields.reduce((a, b) => both(a, b, (u, v) => u + v))
  return how === 'add' ? sum : each(sum, value => value / fields.length)
}

const sideBySide = (a: Numbers, b: Numbers): Numbers => {
  const [left, right] = [a.shape.at(-1)!, b.shape.at(-1)!]
  return numbers([...a.shape.slice(0, -1), left + right], (...where) => {
    const channel = where.at(-1)!
    return channel < left ? at(a, ...where) : at(b, ...where.slice(0, -1), channel - left)
  })
}
