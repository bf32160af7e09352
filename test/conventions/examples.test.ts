import { isRight, left, right } from 'fp-ts/lib/Either.js'
import pc from 'picocolors'
import { beforeAll, describe, expect, it } from 'vitest'
import * as vitrail from '../../src/index.js'
import { model } from '../../src/layers/core/model.js'
import { shapeType, shapeValue } from '../types/annotations.js'
import { compile, exactlyHelper, scratch, versions, type Compiled } from '../types/compile.js'
import { examplesOf, exportedValues, root, sources } from './sources.js'

/*
 * Examples in doc comments run here. An example is lines of one of these forms; any other fails.
 *
 *   type T = Expression // Type           the compiler finds exactly that type
 *   expression // Model<I, S>             the compiler finds exactly that model (… for what is not told), and
 *                                         built at run time it takes I and gives S
 *   expression // Either<Problem, …>      the expression gives a Right
 *   const x = await expression // Either<Problem, …>
 *                                         the same, once it has been awaited
 *   expression // value                   the expression gives a value equal to that one
 *   await expression // value             the same, once it has been awaited
 */

const forms = { type: /^type \w+ = (.*) \/\/ (.*)$/, model: /^(pipe\(.*|inputs\(.*) \/\/ Model<(.*)>$/, either: /^(?:const \w+ = )?(.*?) \/\/ (?:Task)?Either<Problem, .*>$/, value: /^(?!const |let |type )(.*?) \/\/ (.+)$/ } as const
type Form = keyof typeof forms

interface Example {
  readonly path: string
  readonly name: string
  readonly text: string
  readonly form: Form
  readonly expression: string
  readonly promise: string
}

const all = [...sources('src'), ...sources('recipes')].flatMap(source => examplesOf(source).flatMap(({ name, lines }) => lines.map(text => ({ path: source.path, name, text }))))
const unknown = all.filter(({ text }) => !Object.values(forms).some(form => form.test(text)))
const examples: readonly Example[] = all.flatMap(({ path, name, text }) => {
  const form = (Object.keys(forms) as Form[]).find(f => forms[f].test(text))
  if (form === undefined) return []
  const [, expression, promise = ''] = forms[form].exec(text)!
  return [{ path, name, text, form, expression: expression!, promise }]
})
const of = (form: Form): readonly (readonly [string, Example])[] => examples.filter(e => e.form === form).map(e => [`${e.path.split('/').at(-1)!.slice(0, -3)}: ${e.text}`, e] as const)

/** Recipes' parts, which examples of recipes put together, by where they are. */
const parts: Readonly<Record<string, string>> = Object.fromEntries(sources('recipes').flatMap(exportedValues).map(({ name, path }) => [name, path]))
const partsOf = (code: string): readonly string[] => [...new Set(code.match(/\b[a-z]\w*(?=\()/g) ?? [])].filter(name => !(name in vitrail) && name in parts)

const pipe = (x: unknown, ...fs: readonly ((x: unknown) => unknown)[]): unknown => fs.reduce((value, f) => f(value), x)

/** What examples speak of without making it: a model, its graph, and weights for it; made when one does. */
const given: Readonly<Record<string, () => unknown>> = {
  vitTiny: () => vitrailTiny(),
  graph: () => (vitrail.trace(vitrailTiny() as never) as { readonly right: vitrail.Graph }).right,
  weights: async () => {
    const { initialWeights } = await import('../../src/weights/initialWeights.js')
    return (initialWeights(vitrailTiny(), 1) as { readonly right: unknown }).right
  },
  file: async () => {
    const [{ encodeSafetensors }, { parseSafetensors }, { initialWeights }] = await Promise.all([import('../../src/weights/encodeSafetensors.js'), import('../../src/weights/parseSafetensors.js'), import('../../src/weights/initialWeights.js')])
    const graph = (vitrail.trace(vitrailTiny() as never) as { readonly right: vitrail.Graph }).right
    const values = (initialWeights(vitrailTiny(), 1) as { readonly right: ReadonlyMap<string, Float32Array> }).right
    const encoded = encodeSafetensors(vitrail.parametersOf(graph).map(p => ({ name: p.attributes.name, shape: p.shape, data: values.get(p.attributes.name)! }))) as { readonly right: Uint8Array }
    return (parseSafetensors(encoded.right, 'vitTiny.safetensors') as { readonly right: unknown }).right
  },
  // The slow but certain backend stands for any.
  wasm: async () => (await import('../../src/backends/reference/index.js')).reference,
  reference: async () => (await import('../../src/backends/reference/index.js')).reference,
  pc: () => pc.createColors(false),
  fc: async () => (await import('fast-check')).default,
}
const { classToken, encoderBlock, flattenTokens, input, layerNorm, linear, patchEmbed, positionEmbed, repeat, takeToken } = vitrail
const vitrailTiny = () =>
  pipe(input(224, 224, 3), patchEmbed({ patchSize: 16, dim: 192 }) as never, flattenTokens() as never, classToken() as never, positionEmbed() as never, repeat(12, encoderBlock({ numHeads: 3 })) as never, layerNorm() as never, takeToken(0) as never, linear(1000) as never) as vitrail.Model<readonly [224, 224, 3], readonly [1000]>

const evaluate = async (path: string, code: string): Promise<unknown> => {
  const own = (await import(/* @vite-ignore */ root + path)) as object
  const spoken = await Promise.all(Object.entries(given).filter(([name]) => new RegExp(`\\b${name}\\b`).test(code)).map(async ([name, make]) => [name, await make()] as const))
  const others = await Promise.all(partsOf(code).map(name => import(/* @vite-ignore */ root + parts[name]!) as Promise<object>))
  const scope = { ...vitrail, ...Object.assign({}, ...others) as object, ...own, pipe, isRight, left, right, ...Object.fromEntries(spoken) }
  const body = code.startsWith('await ') ? `(async () => { with (scope) { return (${code}) } })()` : `(() => { with (scope) { return (${code}) } })()`
  return new Function('scope', `return ${body}`)(scope) as unknown
}

it('every example is of a form that is checked', () => {
  expect(unknown.map(({ path, text }) => `${path}: ${text}`)).toEqual([])
  expect(examples.length).toBeGreaterThan(80)
})

describe('a value an example promises is the one it gives', () => {
  it.each(of('value'))('%s', async (_, { path, expression, promise }) => {
    expect(await evaluate(path, expression)).toEqual(await evaluate(path, promise))
  })
})

describe('an example that may fail does not', () => {
  it.each(of('either'))('%s', async (_, { path, expression }) => {
    expect(await evaluate(path, expression)).toMatchObject({ _tag: 'Right' })
  })
})

/** The two arguments of `Model<…, …>`, told apart by the comma outside all brackets. */
const sides = (text: string): readonly [string, string] => {
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    if ('[{<('.includes(text[i]!)) depth++
    if (']}>)'.includes(text[i]!)) depth--
    if (depth === 0 && text[i] === ',') return [text.slice(0, i).trim(), text.slice(i + 1).trim()]
  }
  throw new Error(`no two sides: ${text}`)
}

describe('a model an example promises has those shapes at run time', () => {
  it.each(of('model'))('%s', async (_, { path, expression, promise }) => {
    const built = (await evaluate(path, expression)) as vitrail.Model<unknown, unknown>
    const [taken, given] = sides(promise)
    if (taken !== '…') expect(vitrail.shapeOf(model<unknown, unknown>(built.input, []))).toEqual(right(shapeValue(taken)))
    if (given !== '…') expect(vitrail.shapeOf(built)).toEqual(right(shapeValue(given)))
    else expect(vitrail.shapeOf(built)._tag).toBe('Right')
  })
})

describe.each(versions)('what an example promises of a type, TypeScript %s finds too', version => {
  const typed = examples.filter(e => e.form === 'type' || e.form === 'model')
  const owns = typed.filter(e => e.form === 'type')
  const header = [
    "import { pipe } from 'fp-ts/lib/function.js'",
    `import { ${Object.keys(vitrail).filter(name => name !== 'ops').join(', ')}, type Integers, type Model } from 'vitrail'`,
    ...[...new Set(typed.filter(e => e.form === 'model').flatMap(e => partsOf(e.expression)))].map(name => `import { ${name} } from '../../../dist/${parts[name]!.replace(/\.ts$/, '.js')}'`),
    ...owns.map((e, i) => `import type { ${e.name} as own${i} } from '../../../dist/${e.path.replace(/\.ts$/, '.js')}'`),
    ...exactlyHelper.trimEnd().split('\n'),
  ]
  const own = (e: Example, text: string): string => (owns.includes(e) ? text.replace(new RegExp(`\\b${e.name}\\b`, 'g'), `own${owns.indexOf(e)}`) : text)
  const lines = typed.map((e, i) => {
    if (e.form === 'type') return `exactly<${own(e, e.expression)}, ${e.promise}>()`
    const [taken, given] = sides(e.promise)
    const parts = [taken === '…' ? '' : `exactly<typeof e${i} extends Model<infer I, infer _> ? I : never, ${shapeType(taken)}>()`, given === '…' ? '' : `exactly<typeof e${i} extends Model<infer _, infer S> ? S : never, ${shapeType(given)}>()`]
    return `const e${i} = ${own(e, e.expression)}; ${parts.join('; ')}`
  })
  let compiled: Compiled
  beforeAll(async () => {
    compiled = await compile(version, scratch('examples', { [`examples-${version}.ts`]: `${[...header, ...lines].join('\n')}\n` }))
  })

  it('and nothing else is wrong with them', () => {
    expect(compiled.diagnostics.filter(d => d.line <= header.length)).toEqual([])
  })

  it.each(typed.map((e, i) => [e.text, i] as const))('%s', (_, i) => {
    expect(compiled.diagnostics.filter(d => d.line === header.length + 1 + i)).toEqual([])
  })
})
