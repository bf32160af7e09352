import type { AnyLayer } from '../../layers/core/layer.js'
import type { AnyModel, InputSpec } from '../../layers/core/model.js'
import { bracketed, indented } from './layout.js'
import { valueToSource, type Words } from './valueToSource.js'

/** Options of {@link toSource}. */
export interface SourceOptions {
  /** What the model is called (default `model`). */
  readonly name?: string
  /** Whether the imports stand above it (default true). */
  readonly imports?: boolean
}

const noWords = (): Words => ({ library: new Set(), own: new Map() })

/** `pipe` takes so many arguments that its types still know. */
const longestPipe = 19

/**
 * A model as TypeScript that can be pasted into a file, and that builds the same model. A user's own layers are
 * called by their constructors' names; a comment says where the import has to be filled in.
 *
 * @example
 * toSource(pipe(input(192), linear(10)), { imports: false }) // 'export const model = pipe(\n  input(192),\n  linear(10),\n)\n'
 */
export const toSource = (model: AnyModel, { name = 'model', imports = true }: SourceOptions = {}): string => {
  const words = noWords()
  const lines = model.layers.map(layer => valueToSource(layer, words, 0))
  const declared = `export const ${name} = ${piped(inputToSource(model.input, words), lines)}\n`
  return imports ? `${importsOf(words, lines.length > 0)}\n${declared}` : declared
}

/**
 * One layer as an expression.
 *
 * @example
 * layerToSource(residual(linear(10))) // 'residual(linear(10))'
 */
export const layerToSource = (layer: AnyLayer): string => valueToSource(layer, noWords(), 0)

const piped = (start: string, layers: readonly string[]): string => {
  if (layers.length === 0) return start
  const [now, later] = [layers.slice(0, longestPipe - 1), layers.slice(longestPipe - 1)]
  const inner = `pipe(\n${[start, ...now].map(part => `${indented(part)},\n`).join('')})`
  return later.length === 0 ? inner : piped(inner, later)
}

const inputToSource = (spec: InputSpec, words: Words): string => {
  const [name, parts] = 'fields' in spec ? (['inputs', []] as const) : spec.dtype === 'int32' ? (['integerInput', spec.shape.map(String)] as const) : (['input', spec.shape.map(String)] as const)
  words.library.add(name)
  if (!('fields' in spec)) return bracketed(`${name}(`, parts, ')')
  return bracketed('inputs({', Object.entries(spec.fields).map(([field, inner]) => `${field}: ${inputToSource(inner, words)}`), '})', true)
}

const importsOf = ({ library, own }: Words, isPiped: boolean): string =>
  [
    ...(isPiped ? ["import { pipe } from 'fp-ts/lib/function.js'"] : []),
    `${bracketed('import {', [...library].sort(), '}', true)} from 'vitrail'`,
    ...(own.size === 0 ? [] : [`import { ${[...own].map(([kind, name]) => (kind === name ? name : `${kind} as ${name}`)).join(', ')} } from './your-layers.js' // put in the file that defines them`]),
    '',
  ].join('\n')
