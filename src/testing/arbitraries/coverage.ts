import type { Choice } from '../../layers/core/choice.js'
import { isLayer, type AnyLayer } from '../../layers/core/layer.js'
import type { AnyModel } from '../../layers/core/model.js'
import { layersIn } from '../shrink/countLayers.js'
import type { Constructor } from './constructor.js'
import { constructors } from './constructors.js'

/** What was seen of one kind of layer. */
export interface LayerCoverage {
  readonly count: number
  /** How often arguments and options were what: `qkvBias: false`, `dim: given`, `stride: not given`. */
  readonly classes: ReadonlyMap<string, number>
  /** What stood before it (`start` where nothing did). */
  readonly after: ReadonlyMap<string, number>
  /** What it stood in (`model` at the top). */
  readonly inside: ReadonlyMap<string, number>
}

/** What a run exercised, by kinds of layers. */
export type Coverage = ReadonlyMap<string, LayerCoverage>

interface Counted {
  count: number
  readonly classes: Map<string, number>
  readonly after: Map<string, number>
  readonly inside: Map<string, number>
}

/** Counts what some models hold: layers, the classes of their options, and their neighbours. */
export const coverageOf = (models: readonly AnyModel[], known: Readonly<Record<string, Constructor>> = constructors): Coverage => {
  const found = new Map<string, Counted>()
  const one = (map: Map<string, number>, key: string): void => void map.set(key, (map.get(key) ?? 0) + 1)
  const visit = (layer: AnyLayer, before: string, around: string): void => {
    const { kind, args } = layer.definition
    const seen: Counted = found.get(kind) ?? { count: 0, classes: new Map(), after: new Map(), inside: new Map() }
    found.set(kind, seen)
    seen.count++
    one(seen.after, before)
    one(seen.inside, around)
    for (const name of classesOf(args, known[kind])) one(seen.classes, name)
    const isList = args.every(isLayer)
    let previous = 'start'
    for (const inner of args.flatMap(arg => layersIn(arg, args))) {
      visit(inner, previous, kind)
      previous = isList ? inner.definition.kind : 'start'
    }
  }
  for (const { layers } of models) layers.forEach((layer, i) => visit(layer, layers[i - 1]?.definition.kind ?? 'start', 'model'))
  return found
}

const choicesOf = ({ arguments: described = [] }: Constructor): readonly Choice[] => ('ways' in described ? described.ways.flat() : (described as readonly Choice[]))

/** The class of a value: itself where there are few, else whether it is one, or more than one number. */
const classOf = (choice: Choice, value: unknown): string => {
  if (choice.kind === 'among') return String(value)
  if (Array.isArray(value)) return 'a pair'
  return typeof value === 'number' ? (value > 1 ? 'more' : String(value)) : typeof value === 'string' ? value : 'given'
}

const classesOf = (args: readonly unknown[], constructor: Constructor | undefined): readonly string[] => {
  if (constructor === undefined) return []
  return choicesOf(constructor).flatMap((choice, i): readonly string[] => {
    const value = args[i]
    if (choice.kind === 'options') {
      const given = (value ?? {}) as Readonly<Record<string, unknown>>
      return Object.entries({ ...choice.needed, ...choice.optional }).map(([name, of]) => `${name}: ${given[name] === undefined ? 'not given' : classOf(of, given[name])}`)
    }
    return choice.kind === 'among' || choice.kind === 'whole' || choice.kind === 'below' ? [`${i}: ${classOf(choice, value)}`] : []
  })
}

/** The classes that a description promises, whichever sizes there are. */
const promisedBy = (constructor: Constructor): readonly string[] =>
  choicesOf(constructor).flatMap((choice, i) => {
    if (choice.kind === 'among') return choice.values.map(value => `${i}: ${String(value)}`)
    if (choice.kind !== 'options') return []
    const valuesOf = ([name, of]: readonly [string, Choice]): readonly string[] => (of.kind === 'among' ? of.values.map(value => `${name}: ${String(value)}`) : [])
    const optional = Object.entries(choice.optional)
    return [...Object.entries(choice.needed).flatMap(valuesOf), ...optional.flatMap(valuesOf), ...optional.map(([name]) => `${name}: not given`)]
  })

/** What a run did not exercise: layers that are missing, and classes of their options, as `mbConv stride: 2`. */
export const coverageGaps = (coverage: Coverage, known: Readonly<Record<string, Constructor>> = constructors): readonly string[] =>
  Object.entries(known).flatMap(([kind, constructor]) => {
    const seen = coverage.get(kind)
    return seen === undefined ? [kind] : promisedBy(constructor).filter(name => !seen.classes.has(name)).map(name => `${kind} ${name}`)
  })

/** A table: of each layer how often, how many classes of options out of those there are, how many neighbours, and what it stood in. */
export const showCoverage = (coverage: Coverage, known: Readonly<Record<string, Constructor>> = constructors): string => {
  const rows = Object.entries(known).map(([kind, constructor]) => {
    const seen = coverage.get(kind)
    const promised = promisedBy(constructor)
    const classes = `${promised.filter(name => seen?.classes.has(name) === true).length} of ${promised.length}`
    return [kind, String(seen?.count ?? 0), classes, String(seen?.after.size ?? 0), String(seen?.inside.size ?? 0)] as const
  })
  const head = ['layer', 'times', 'options', 'comes after', 'stands in'] as const
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map(row => row[i]!.length)))
  return [head, ...rows].map(row => row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ').trimEnd()).join('\n')
}
