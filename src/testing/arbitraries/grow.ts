import { cost } from '../../graph/cost.js'
import { trace } from '../../graph/trace.js'
import type { Choice, Takes } from '../../layers/core/choice.js'
import type { AnyLayer } from '../../layers/core/layer.js'
import { model, type AnyModel, type InputSpec } from '../../layers/core/model.js'
import { shapeOfSignal } from '../../layers/core/refuse.js'
import { identity } from '../../layers/identity.js'
import { serial } from '../../layers/serial.js'
import { isIntegers, isShape, sizeOf, type SignalShape } from '../../shape/shape.js'
import { adapt } from './adapt.js'
import type { Choices } from './choices.js'
import type { Constructor } from './constructor.js'
import { constructors } from './constructors.js'
import { drawArguments, type Drawing } from './drawArguments.js'
import { drawInput, drawTaken, type InputKind } from './drawInput.js'
import { shapeAfter, signalOf, type Spot } from './shapeAfter.js'

/** How architectures are grown. */
export interface GrowOptions {
  /** Layers at the top, at most (default 5). */
  readonly depth?: number
  /** How deep combinators may be nested (default 2). */
  readonly nesting?: number
  /** Multiply-adds of the whole model, at most (default a million). */
  readonly budget?: number
  /** What models begin with (default: all kinds). */
  readonly inputs?: readonly InputKind[]
  /** Grow on exactly this input. */
  readonly input?: InputSpec
  /** The layers to use, by name (default: all). */
  readonly layers?: readonly string[]
  /** A user's own layers, by name. One without a description of its arguments is called with none. */
  readonly own?: Readonly<Record<string, Constructor>>
  /** A layer that is to be in the model if it fits anywhere. */
  readonly favourite?: string
  /** Sizes that channels may have (default small ones, with 2, 3 and 5 in them). */
  readonly dims?: readonly number[]
}

/** Small sizes whose factors differ, one that fits default options (32), and several that no lane of a vector divides. */
const usualDims = [4, 5, 6, 7, 8, 10, 12, 15, 30, 32] as const

/** No signal of a generated model has more elements a sample. */
const mostElements = 4096

const holdsLayers = (choices: readonly Choice[]): boolean => choices.some(({ kind }) => kind === 'layer' || kind === 'layers' || kind === 'fields')
const isCombinator = ({ arguments: described = [] }: Constructor): boolean => ('ways' in described ? described.ways.some(holdsLayers) : holdsLayers(described as readonly Choice[]))

/** A layer with many options has more to show than an activation. */
const weightOf = ({ arguments: described = [] }: Constructor): number => {
  const choices = 'ways' in described ? described.ways.flat() : (described as readonly Choice[])
  return choices.reduce((sum, choice) => Math.min(6, sum + (choice.kind === 'options' ? Object.keys(choice.optional).length : 1)), 1)
}

const elements = (signal: SignalShape): number => (isShape(signal) ? sizeOf(signal) : isIntegers(signal) ? sizeOf(signal.integers) : Object.values(signal).reduce((sum, field) => sum + elements(field), 0))

/** A layer that fits at a spot, with what it gives there. */
interface Grown {
  readonly layer: AnyLayer
  readonly gives: SignalShape
}

/** Grows layers from a source of choices. */
class Grower {
  private readonly leaves: readonly string[]
  private readonly combinators: readonly string[]
  private readonly constructors: Readonly<Record<string, Constructor>>
  private readonly dims: readonly number[]

  constructor(private readonly choices: Choices, options: GrowOptions) {
    this.constructors = { ...constructors, ...options.own }
    this.dims = options.dims ?? usualDims
    const names = [...(options.layers ?? Object.keys(constructors)), ...Object.keys(options.own ?? {})]
    const weighted = names.flatMap(name => Array<string>(weightOf(this.constructors[name]!)).fill(name))
    this.combinators = weighted.filter(name => isCombinator(this.constructors[name]!))
    this.leaves = weighted.filter(name => !isCombinator(this.constructors[name]!))
  }

  /** One layer that fits at a spot, of a kind if one is named. */
  layer(spot: Spot, nesting: number, kind?: string): Grown | undefined {
    const drawing: Drawing = { choices: this.choices, dims: this.dims, most: 2, inner: (at, goal) => this.inner(at, goal, nesting - 1) }
    const kinds = kind === undefined ? Array.from({ length: 16 }, () => this.kind(nesting)) : [kind, kind, kind]
    for (const name of kinds) {
      if (name === undefined) return undefined
      const constructor = this.constructors[name]!
      // Options are drawn without a look at each other, so a layer with many gets more than one try.
      for (let tries = isCombinator(constructor) ? 3 : 0; tries < 4; tries++) {
        const args = drawArguments(drawing, constructor, spot)
        if (args === undefined) continue
        const layer = constructor.make(...(args as never[]))
        const gives = shapeAfter(layer, spot)
        if (gives !== undefined && elements(gives) <= mostElements) return { layer, gives }
      }
    }
    return undefined
  }

  /** The record that layers of a kind take. */
  takes(kind: string): Takes | undefined {
    return this.constructors[kind]?.takes
  }

  private kind(nesting: number): string | undefined {
    const names = nesting > 0 && this.combinators.length > 0 && (this.leaves.length === 0 || this.choices.chance(0.3)) ? this.combinators : this.leaves
    return names.length === 0 ? undefined : this.choices.pick(names)
  }

  /** One or two layers for a place inside another, which give `goal` if there is one. */
  private inner(spot: Spot, goal: SignalShape | undefined, nesting: number): AnyLayer | undefined {
    const layers: AnyLayer[] = []
    let { signal } = spot
    const most = 1 + this.choices.below(2)
    for (let tries = 0; tries < 3 && layers.length < most; tries++) {
      const next = this.layer({ ...spot, signal }, Math.max(0, nesting))
      if (next === undefined || (goal !== undefined && adapt(next.gives, goal) === undefined)) continue
      layers.push(next.layer)
      signal = next.gives
    }
    const way = goal === undefined ? [] : adapt(signal, goal)
    if (way === undefined) return undefined
    const all = [...layers, ...way]
    return all.length === 0 ? identity() : all.length === 1 ? all[0] : serial(...all)
  }
}

/** Whether a model traces, in inference and in training. */
const traces = (m: AnyModel): SignalShape | undefined => {
  const graph = trace(m)
  return graph._tag === 'Left' || trace(m, { mode: 'training' })._tag === 'Left' ? undefined : shapeOfSignal(graph.right.output)
}

const costOf = (m: AnyModel): number => {
  const graph = trace(m)
  return graph._tag === 'Left' ? Infinity : cost(graph.right).macs.total
}

/**
 * A random architecture, grown layer by layer from the signal that is there, so that it is valid by construction: it
 * traces, in inference and in training. The same choices grow the same.
 */
export const grow = (choices: Choices, options: GrowOptions = {}): AnyModel => {
  const { depth = 5, nesting = 2, budget = 1e6, favourite } = options
  const grower = new Grower(choices, options)
  let best: AnyModel | undefined
  for (let tries = 0; tries < 60; tries++) {
    const takes = favourite === undefined || options.input !== undefined ? undefined : grower.takes(favourite)
    const input = options.input ?? (takes === undefined || choices.chance(0.3) ? drawInput(choices, options) : drawTaken(choices, takes))
    // A favourite that came up nowhere by itself is given an input that it takes.
    if (favourite !== undefined && tries > 1 && tries < 55 && grower.layer({ signal: signalOf(input) }, nesting, favourite) === undefined) continue
    // What takes a record of its own would always come first.
    const begun = takes !== undefined && choices.chance(0.5) ? model<never, unknown>(input, [identity()]) : model<never, unknown>(input, [])
    const grown = growOn(grower, begun, 1 + choices.below(depth), nesting, favourite)
    const cheap = within(grown, budget)
    const fits = cheap.layers.length > 0 && (favourite === undefined || cheap.layers.some(layer => layer.definition.kind === favourite))
    if (fits) return cheap
    if (cheap.layers.length > 0) best ??= cheap
  }
  return best ?? model(options.input ?? drawInput(choices, options), [])
}

const growOn = (grower: Grower, begun: AnyModel, depth: number, nesting: number, favourite: string | undefined): AnyModel => {
  const { input } = begun
  let made = begun
  let signal: SignalShape | undefined = signalOf(input)
  let wanted = favourite
  for (let count = 0; count < depth && signal !== undefined; count++) {
    // A favourite that needs a signal of some kind gets its turn at every place until it fits one.
    const next = (wanted === undefined ? undefined : grower.layer({ signal }, nesting, wanted)) ?? grower.layer({ signal }, nesting)
    if (next === undefined) break
    const longer: AnyModel = model(input, [...made.layers, next.layer])
    const gives = traces(longer)
    // Two layers that fit may still call two weights by one name.
    if (gives === undefined) continue
    if (next.layer.definition.kind === wanted) wanted = undefined
    made = longer
    signal = gives
  }
  return made
}

const within = (m: AnyModel, budget: number): AnyModel => {
  let cheap = m
  while (cheap.layers.length > 0 && costOf(cheap) > budget) cheap = model(cheap.input, cheap.layers.slice(0, -1))
  return cheap
}

/** One layer, with layers inside it perhaps, that fits a signal; nothing where none was found. */
export const growLayer = (choices: Choices, signal: SignalShape, options: GrowOptions = {}): AnyLayer | undefined =>
  new Grower(choices, options).layer({ signal }, options.nesting ?? 2, options.favourite)?.layer

