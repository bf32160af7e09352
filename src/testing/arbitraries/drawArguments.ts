import type { Axis, Choice, Keeps } from '../../layers/core/choice.js'
import type { AnyLayer } from '../../layers/core/layer.js'
import { isIntegers, isShape, sizeOf, type Shape, type SignalShape } from '../../shape/shape.js'
import type { Choices } from './choices.js'
import type { Constructor } from './constructor.js'
import { arrivesAt, shapeAfter, type Spot } from './shapeAfter.js'

/** What a generator draws from: choices, the sizes that channels may have, and names. */
export interface Drawing {
  readonly choices: Choices
  readonly dims: readonly number[]
  /** Grows a layer for a place inside another, with what it has to give there, if that matters. */
  readonly inner: (spot: Spot, goal: SignalShape | undefined) => AnyLayer | undefined
  /** How many layers a list may hold. */
  readonly most: number
}

/** Arguments for a constructor at a spot; nothing where none could be found. They may still not fit: the layer's `check` says. */
export const drawArguments = (drawing: Drawing, { make, arguments: described = [] }: Constructor, spot: Spot): readonly unknown[] | undefined => {
  const way = 'ways' in described ? drawing.choices.pick(described.ways) : (described as readonly Choice[])
  const made: { readonly args: unknown[]; previous: SignalShape | undefined } = { args: [], previous: undefined }
  const holeAt = (args: (hole: AnyLayer) => readonly unknown[]): Spot => arrivesAt(spot, hole => make(...([...made.args, ...args(hole)] as never[]))) ?? spot
  for (const choice of way) {
    const drawn = drawOne(drawing, choice, spot, made, holeAt)
    if (drawn === undefined) return undefined
    made.args.push(...drawn)
  }
  return made.args
}

type Holes = (args: (hole: AnyLayer) => readonly unknown[]) => Spot

/** The arguments that one choice stands for: mostly one. */
const drawOne = (drawing: Drawing, choice: Choice, spot: Spot, made: { readonly args: readonly unknown[]; previous: SignalShape | undefined }, holeAt: Holes): readonly unknown[] | undefined => {
  const { choices, inner } = drawing
  switch (choice.kind) {
    case 'shape':
      return isShape(spot.signal) ? spot.signal : undefined
    case 'layer': {
      const place = holeAt(hole => [hole])
      const goal = goalOf(choice.keeps, place.signal, made.previous)
      const layer = inner(place, goal)
      if (layer === undefined) return undefined
      made.previous = shapeAfter(layer, place)
      return [choice.isNumbered && choices.chance(0.3) ? numbered(drawing, layer, made.args[0] as number, place, goal) : layer]
    }
    case 'layers': {
      const layers: AnyLayer[] = []
      for (let count = 1 + choices.below(drawing.most); layers.length < count; ) {
        const layer = inner(holeAt(hole => [...layers, hole]), undefined)
        if (layer === undefined) break
        layers.push(layer)
      }
      return layers.length === 0 ? undefined : layers
    }
    case 'fields':
      return drawFields(drawing, choice.of, spot, holeAt)
    default: {
      const value = drawValue(drawing, choice, spot)
      return value === nothing ? undefined : [value]
    }
  }
}

const goalOf = (keeps: Keeps, signal: SignalShape, previous: SignalShape | undefined): SignalShape | undefined =>
  keeps === 'nothing' ? undefined : keeps === 'previous' ? previous : keeps === 'pairs' && isShape(signal) && signal.length === 2 ? [signal[0]!, 2] : signal

/** Blocks that differ, as a function of their number. */
const numbered = ({ inner }: Drawing, first: AnyLayer, times: number, place: Spot, goal: SignalShape | undefined): ((index: number) => AnyLayer) => {
  const blocks = Array.from({ length: times }, (_, i) => (i === 0 ? first : (inner(place, goal) ?? first)))
  return index => blocks[index]!
}

const fieldNames = [['a', 'b'], ['b', 'a'], ['left', 'right'], ['x', 'y', 'z'], ['only']] as const

const drawFields = ({ choices, dims, inner }: Drawing, of: 'record' | 'anything', { signal }: Spot, holeAt: Holes): readonly unknown[] | undefined => {
  if (of === 'record' && (isShape(signal) || isIntegers(signal))) return undefined
  const names = of === 'anything' ? choices.pick(fieldNames) : Object.keys(signal).filter((_, i) => i === 0 || choices.chance(0.6))
  const layers: Record<string, AnyLayer> = {}
  // Branches often end alike, or but for their channels, so that they can be merged.
  const ending = of === 'anything' ? choices.pick(['alike', 'alike', 'places', 'free'] as const) : 'free'
  let goal: SignalShape | undefined
  for (const name of names) {
    const place = holeAt(hole => [{ ...layers, [name]: hole }])
    const end = ending === 'places' && goal !== undefined && isShape(goal) && goal.length > 0 ? [...goal.slice(0, -1), choices.pick(dims)] : goal
    const layer = inner(place, ending === 'free' ? undefined : end)
    if (layer === undefined) return undefined
    goal ??= shapeAfter(layer, place)
    layers[name] = layer
  }
  return [layers]
}

const nothing = Symbol('nothing')

/** A value that is no layer. */
const drawValue = (drawing: Drawing, choice: Choice, spot: Spot): unknown => {
  const { choices, dims } = drawing
  switch (choice.kind) {
    case 'among':
      return choices.pick(choice.values)
    case 'size': {
      // A size that nothing else has shows which axis is which; the size that arrives is what some layers need.
      const taken = sizesOf(spot.signal)
      const own = dims.filter(dim => !taken.includes(dim))
      return taken.length > 0 && (own.length === 0 || choices.chance(0.35)) ? taken.at(-1) : choices.pick(own)
    }
    case 'whole':
      return choice.from + choices.below(choice.to - choice.from + 1)
    case 'either':
      return drawValue(drawing, choices.pick(choice.choices), spot)
    case 'pair': {
      const both = choice.choices.map(one => drawValue(drawing, one, spot))
      return both.includes(nothing) ? nothing : both
    }
    case 'options':
      return drawOptions(drawing, choice, spot)
    case 'field':
      return isShape(spot.signal) || isIntegers(spot.signal) || Object.keys(spot.signal).length === 0 ? nothing : choices.pick(Object.keys(spot.signal))
    case 'name':
      return choices.pick(['head', 'branch', 'norm', 'layers', 'early', 'late', 'part.one', 'part.two', 'blocks'])
    case 'axis':
    case 'divisor':
    case 'below':
    case 'factors': {
      const size = axisOf(spot.signal, choice.of)
      if (size === undefined) return nothing
      if (choice.kind === 'axis') return size
      if (choice.kind === 'below') return choices.below(size)
      const divisor = choices.pick(divisors(size))
      return choice.kind === 'divisor' ? divisor : [divisor, size / divisor]
    }
    default:
      return nothing
  }
}

const drawOptions = (drawing: Drawing, { needed, optional }: Extract<Choice, { kind: 'options' }>, spot: Spot): unknown => {
  const share = drawing.choices.pick([0, 0.3, 0.6])
  const drawn = Object.fromEntries([
    ...Object.entries(needed).map(([name, choice]) => [name, drawValue(drawing, choice, spot)] as const),
    ...Object.entries(optional).filter(() => drawing.choices.chance(share)).map(([name, choice]) => [name, drawValue(drawing, choice, spot)] as const),
  ].filter(([name, value]) => value !== nothing || name in needed))
  return Object.values(drawn).includes(nothing) ? nothing : drawn
}

/** The sizes of a tensor's axes; none of a record. */
export const sizesOf = (signal: SignalShape): Shape => (isShape(signal) ? signal : isIntegers(signal) ? signal.integers : [])

const axisOf = (signal: SignalShape, axis: Axis): number | undefined => {
  const shape = sizesOf(signal)
  if (shape.length === 0) return undefined
  if (axis === 'channels') return shape.at(-1)
  if (axis === 'places') return sizeOf(shape.slice(0, -1))
  if (axis === 'tokens') return shape.length === 2 ? shape[0] : undefined
  return shape.length === 3 ? shape[axis === 'height' ? 0 : 1] : undefined
}

const divisors = (size: number): readonly number[] => Array.from({ length: Math.min(size, 64) }, (_, i) => i + 1).filter(n => size % n === 0)
