import { isLayer, type AnyLayer } from '../../layers/core/layer.js'
import { isSize } from '../../shape/natural.js'
import { constructors } from '../arbitraries/constructors.js'
import { bracketed } from './layout.js'

/** The names that a text speaks of: the library's, and a user's own layers, by their kind and by what they are called here. */
export interface Words {
  readonly library: Set<string>
  readonly own: Map<string, string>
}

/** A value as an expression: a layer by its constructor, everything else as a literal. `nesting` counts the functions around it. */
export const valueToSource = (value: unknown, words: Words, nesting: number): string => {
  if (isLayer(value)) return layerToSource(value, words, nesting)
  if (Array.isArray(value)) return bracketed('[', value.map(part => valueToSource(part, words, nesting)), ']')
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'function') return `${String(value)} /* a function: what it speaks of has to be there */`
  if (typeof value === 'object' && value !== null) return recordOf(Object.entries(value).filter(([, v]) => v !== undefined).map(([key, v]) => [key, valueToSource(v, words, nesting)]))
  return Object.is(value, -0) ? '-0' : String(value)
}

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`

const recordOf = (fields: readonly (readonly [string, string])[]): string =>
  bracketed('{', fields.map(([key, text]) => `${/^[A-Za-z_$][\w$]*$/.test(key) ? key : quoted(key)}: ${text}`), '}', true)

/** Whether a layer is what the library's constructor of that name makes. */
export const isOfLibrary = ({ definition: { kind, make } }: AnyLayer): boolean => Object.hasOwn(constructors, kind) && constructors[kind]!.make === make

const nameOf = (layer: AnyLayer, { library, own }: Words): string => {
  const { kind } = layer.definition
  if (isOfLibrary(layer)) {
    library.add(kind)
    return kind
  }
  const name = Object.hasOwn(constructors, kind) ? `own${kind[0]!.toUpperCase()}${kind.slice(1)}` : kind
  own.set(kind, name)
  return name
}

const layerToSource = (layer: AnyLayer, words: Words, nesting: number): string => {
  const args = argumentsOf(layer)
  const name = nameOf(layer, words)
  const [times, block] = args as readonly [number, unknown]
  const isNumbered = isOfLibrary(layer) && layer.definition.kind === 'repeat' && typeof block === 'function' && !isLayer(block)
  const texts = args.map((arg, i) => (isNumbered && i === 1 ? numbered(blocksOf(times, block as (index: number) => unknown), words, nesting) : valueToSource(arg, words, nesting)))
  return bracketed(`${name}(`, texts, ')')
}

/** The arguments as a person writes them: without options that are not given at the end. */
const argumentsOf = ({ definition: { args } }: AnyLayer): readonly unknown[] => {
  const isMissing = (arg: unknown): boolean => arg === undefined || (typeof arg === 'object' && arg !== null && !Array.isArray(arg) && Object.values(arg).every(v => v === undefined))
  let count = args.length
  while (count > 0 && isMissing(args[count - 1])) count--
  return args.slice(0, count)
}

const blocksOf = (times: number, block: (index: number) => unknown): readonly unknown[] => Array.from({ length: isSize(times) ? Math.min(times, 10_000) : 1 }, (_, i) => block(i))

/** Blocks as one block where all are the same, else as a function of their number that says where they differ. */
const numbered = (blocks: readonly unknown[], words: Words, nesting: number): string => {
  const index = nesting === 0 ? 'index' : `index${nesting + 1}`
  const text = merged(blocks, words, nesting + 1, index)
  return text.includes(`[${index}]!`) ? `${index} => ${text}` : text
}

/** Several values as one expression of their number. */
const merged = (values: readonly unknown[], words: Words, nesting: number, index: string): string => {
  const texts = values.map(value => valueToSource(value, words, nesting))
  const [first] = values
  if (texts.every(text => text === texts[0])) return texts[0]!
  if (values.every(isLayer) && values.every(value => isAlike(value, first as AnyLayer))) {
    const args = values.map(value => argumentsOf(value))
    return bracketed(`${nameOf(first as AnyLayer, words)}(`, args[0]!.map((_, i) => merged(args.map(list => list[i]), words, nesting, index)), ')')
  }
  if (values.every(isRecord) && values.every(value => keysOf(value) === keysOf(first as object))) {
    return recordOf(keysOf(first as object).split(' ').map(key => [key, merged(values.map(value => (value as Readonly<Record<string, unknown>>)[key]), words, nesting, index)]))
  }
  return `(${bracketed('[', texts, ']')} as const)[${index}]!`
}

const isRecord = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value)
const keysOf = (value: object): string => Object.keys(value).filter(key => (value as Readonly<Record<string, unknown>>)[key] !== undefined).join(' ')

/** Whether two layers can be told by one call whose arguments differ. Functions cannot be looked into from here. */
const isAlike = (a: AnyLayer, b: AnyLayer): boolean => {
  const hasFunction = (layer: AnyLayer): boolean => layer.definition.args.some(arg => typeof arg === 'function' && !isLayer(arg))
  return a.definition.make === b.definition.make && argumentsOf(a).length === argumentsOf(b).length && !hasFunction(a) && !hasFunction(b)
}
