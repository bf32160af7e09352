import { isLayer, type AnyLayer } from '../../layers/core/layer.js'
import { model, type AnyModel, type InputSpec } from '../../layers/core/model.js'
import { flattenTokens } from '../../layers/flattenTokens.js'
import { linear } from '../../layers/linear.js'
import { named } from '../../layers/named.js'
import { registerTokens } from '../../layers/registerTokens.js'
import { serial } from '../../layers/serial.js'
import { skipTokens } from '../../layers/skipTokens.js'
import type { Choices } from '../arbitraries/choices.js'
import { layersOf } from '../shrink/countLayers.js'

/** One way to break an architecture; nothing where it has no place to be broken so. */
export type Mutation = (m: AnyModel, choices: Choices) => AnyModel | undefined

type Options = Readonly<Record<string, unknown>>

const all = (layers: readonly AnyLayer[]): readonly AnyLayer[] => layers.flatMap(layer => [layer, ...all(layersOf(layer))])

/** The model with one of some layers, wherever it stands, replaced. */
const replaced = (m: AnyModel, choices: Choices, isMeant: (layer: AnyLayer) => boolean, by: (layer: AnyLayer) => AnyLayer | undefined): AnyModel | undefined => {
  const candidates = all(m.layers).filter(isMeant)
  if (candidates.length === 0) return undefined
  const target = choices.pick(candidates)
  const other = by(target)
  return other === undefined ? undefined : model(m.input, m.layers.map(layer => exchanged(layer, target, other)))
}

/** A layer with one inside it, or itself, exchanged for another. */
const exchanged = (layer: AnyLayer, target: AnyLayer, other: AnyLayer): AnyLayer => {
  if (layer === target) return other
  const { args, make } = layer.definition
  const into = (arg: unknown): unknown => {
    if (isLayer(arg)) return exchanged(arg, target, other)
    if (typeof arg === 'function') return (index: number) => into((arg as (index: number) => unknown)(index))
    return isRecordOfLayers(arg) ? Object.fromEntries(Object.entries(arg as Options).map(([name, value]) => [name, into(value)])) : arg
  }
  return all([layer]).includes(target) ? make(...(args.map(into) as never[])) : layer
}

/** The layer with an option changed. */
const withOption = ({ definition: { args, make } }: AnyLayer, name: string, value: unknown): AnyLayer => {
  const at = args.findIndex(arg => typeof arg === 'object' && arg !== null && !Array.isArray(arg))
  const options = at < 0 ? {} : (args[at] as Options)
  const given = at < 0 ? [...args, { [name]: value }] : args.map((arg, i) => (i === at ? { ...options, [name]: value } : arg))
  return make(...(given as never[]))
}

const withArgument = ({ definition: { args, make } }: AnyLayer, at: number, value: unknown): AnyLayer => make(...(args.map((arg, i) => (i === at ? value : arg)) as never[]))

/** Changes an option of a layer that has it in its configuration. */
const option = (names: readonly string[], change: (value: number, choices: Choices) => unknown, kinds?: readonly string[]): Mutation => (m, choices) =>
  replaced(
    m,
    choices,
    ({ definition: { kind, config } }) => (kinds === undefined || kinds.includes(kind)) && names.some(name => typeof config[name] === 'number'),
    layer => {
      const name = choices.pick(names.filter(one => typeof layer.definition.config[one] === 'number'))
      return withOption(layer, name, change(layer.definition.config[name] as number, choices))
    },
  )

/** Changes the first argument of some kinds of layers. */
const first = (kinds: readonly string[], change: (value: number, choices: Choices) => number): Mutation => (m, choices) =>
  replaced(m, choices, ({ definition }) => kinds.includes(definition.kind), layer => withArgument(layer, 0, change(layer.definition.args[0] as number, choices)))

/** The input with its shape changed, in one of its fields where there are several. */
const shaped = (spec: InputSpec, change: (shape: readonly number[]) => readonly number[]): InputSpec => {
  if (!('fields' in spec)) return { ...spec, shape: change(spec.shape) }
  const [[name, field] = [], ...rest] = Object.entries(spec.fields)
  return name === undefined || field === undefined ? spec : { fields: { [name]: shaped(field, change), ...Object.fromEntries(rest) } }
}

/** A layer put between two at the top. */
const inserted = (make: () => AnyLayer): Mutation => (m, choices) => {
  const at = choices.below(m.layers.length + 1)
  return model(m.input, [...m.layers.slice(0, at), make(), ...m.layers.slice(at)])
}

/** Something put behind an inner layer of a combinator. */
const behind = (kinds: readonly string[], make: (choices: Choices) => AnyLayer): Mutation => (m, choices) =>
  replaced(m, choices, ({ definition }) => kinds.includes(definition.kind), ({ definition: { args, make: build } }) => {
    const longer = (layer: AnyLayer): AnyLayer => serial(layer, make(choices))
    const at = args.findIndex(arg => isLayer(arg) || isRecordOfLayers(arg))
    if (at < 0) return undefined
    const changed = (arg: unknown): unknown => {
      if (isLayer(arg)) return longer(arg)
      const name = choices.pick(Object.keys(arg as Options))
      return { ...(arg as Options), [name]: longer((arg as Readonly<Record<string, AnyLayer>>)[name]!) }
    }
    return build(...(args.map((arg, i) => (i === at ? changed(arg) : arg)) as never[]))
  })

const isRecordOfLayers = (arg: unknown): boolean => typeof arg === 'object' && arg !== null && Object.values(arg).some(isLayer)
const extra = (layer: AnyLayer): AnyLayer => named('extra', layer)
const odd = (choices: Choices): number => choices.pick([17, 19, 23])

/** Every way to break an architecture, by name. */
export const mutations: Readonly<Record<string, Mutation>> = {
  headsThatDoNotDivide: option(['numHeads'], (n, choices) => n + 1 + choices.below(3)),
  headDimThatDoesNotDivide: option(['headDim'], (n, choices) => n + 1 + choices.below(3), ['relativeAttention2d', 'transformerBlock2d']),
  groupsThatDoNotDivide: option(['groups', 'numGroups', 'groupSize'], (n, choices) => n + 1 + choices.below(3)),
  patchThatDoesNotFit: (m, choices) => replaced(m, choices, ({ definition }) => definition.kind === 'patchEmbed', layer => withOption(layer, 'patchSize', choices.pick([3, 5, [2, 3], [7, 2], 40]))),
  kernelThatDoesNotFit: option(['kernelSize', 'size'], (n, choices) => n + choices.pick([1, 2, 10]), ['conv2d', 'stdConv2d', 'depthwiseConv2d', 'averagePool', 'maxPool']),
  windowThatDoesNotFit: (m, choices) => replaced(m, choices, ({ definition }) => definition.kind === 'windows' || definition.kind === 'windowAttention', layer => withOption(layer, 'windowSize', choices.pick([3, 5, [2, 3], [3, 4]]))),
  gridThatDoesNotFit: (m, choices) => replaced(m, choices, ({ definition }) => definition.kind === 'gatedPositionalAttention' || definition.kind === 'positionEmbed', layer => withOption(layer, 'grid', choices.pick([[2, 3], [5, 7], [1, 4]]))),
  tokenOutOfRange: first(['takeToken', 'skipTokens'], (n, choices) => n + choices.pick([1, 4, 20])),
  prefixTooLong: option(['prefixTokens'], (n, choices) => n + choices.pick([1, 4, 20])),
  tokenTooMany: inserted(() => extra(registerTokens(1))),
  tokenTooFew: inserted(() => skipTokens(1)),
  tokenCountOffByOne: (m, choices) => replaced(m, choices, ({ definition }) => definition.config['numTokens'] !== undefined, layer => withOption(layer, 'numTokens', (layer.definition.config['numTokens'] as number) + choices.pick([-1, 1]))),
  sizeOffByOne: (m, choices) => model(shaped(m.input, shape => { const axis = choices.below(Math.max(1, shape.length)); return shape.map((size, i) => (i === axis ? size + 1 : size)) }), m.layers),
  declaredSizeOffByOne: (m, choices) => replaced(m, choices, ({ definition }) => definition.kind === 'expectShape' && definition.args.length > 0, layer => { const axis = choices.below(layer.definition.args.length); return withArgument(layer, axis, (layer.definition.args[axis] as number) + 1) }),
  swappedAxes: (m, choices) => model(shaped(m.input, shape => { const axis = choices.below(Math.max(1, shape.length - 1)); return shape.map((size, i) => (i === axis ? (shape[axis + 1] ?? size) : i === axis + 1 ? shape[axis]! : size)) }), m.layers),
  channelsFirst: m => model(shaped(m.input, shape => [...shape.slice(-1), ...shape.slice(0, -1)]), m.layers),
  residualThatChangesWidth: behind(['residual'], choices => extra(linear(odd(choices)))),
  blockThatChangesWidth: behind(['repeat'], choices => extra(linear(odd(choices)))),
  blockThatDropsTokens: behind(['windows', 'repeat', 'residual'], () => skipTokens(1)),
  branchOfAnotherWidth: behind(['fanOut', 'parallel'], choices => extra(linear(odd(choices)))),
  // Only what is joined may differ in its channels.
  wrongMerge: (m, choices) => replaced(m, choices, ({ definition: { kind, args } }) => kind === 'merge' && (args[0] === 'concat' || choices.chance(0.5)), layer => withArgument(layer, 0, choices.pick(['add', 'multiply', 'concat', 'average'].filter(how => how !== layer.definition.args[0])))),
  unknownField: (m, choices) => replaced(m, choices, ({ definition }) => definition.kind === 'parallel', ({ definition: { args, make } }) => make(...([{ ...(args[0] as Options), unheardOf: linear(3) }] as never[]))),
  noSize: option(['dim'], () => 0),
  widthOfAnother: option(['dim'], (_, choices) => odd(choices), ['linear', 'conv2d', 'mbConv', 'transformerBlock2d', 'patchEmbed', 'patchMerging', 'embedding']),
  flattenedTooSoon: inserted(() => flattenTokens()),
  droppedLayer: (m, choices) => { const at = choices.below(Math.max(1, m.layers.length)); return model(m.input, m.layers.filter((_, i) => i !== at)) },
  swappedLayers: (m, choices) => {
    if (m.layers.length < 2) return undefined
    const at = choices.below(m.layers.length - 1)
    return model(m.input, m.layers.map((layer, i) => (i === at ? m.layers[at + 1]! : i === at + 1 ? m.layers[at]! : layer)))
  },
}
