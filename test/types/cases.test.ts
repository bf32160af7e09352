import { readdirSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { isModel, shapeOf, type Model } from '../../src/index.js'
import { annotations, complaints, shapeType, shapeValue, type Annotations } from './annotations.js'
import { compile, exactlyHelper, root, scratch, versions, type Compiled } from './compile.js'

const folder = `${root}test/types/cases/`
const names = readdirSync(folder).filter(name => name.endsWith('.ts')).sort()
const cases: readonly Annotations[] = names.map(name => annotations(folder + name))

/** One program that holds every `gives` against what the compiler inferred. */
const exact = scratch('cases', {
  'exact.ts': `import type { Integers, OutputOf } from 'vitrail'
${names.map((name, i) => `import type * as case${i} from '../../../test/types/cases/${name.replace(/\.ts$/, '.js')}'`).join('\n')}
${exactlyHelper}${cases.flatMap(({ gives }, i) => gives.map(({ name, text }) => `exactly<OutputOf<typeof case${i}.${name}>, ${shapeType(text)}>()`)).join('\n')}
`,
})

describe.each(versions)('a program a stranger wrote, under TypeScript %s', version => {
  let compiled: Compiled
  beforeAll(async () => {
    compiled = await compile(version, [...names.map(name => folder + name), ...exact])
  })

  it.each(cases.map(promised => [promised.file.slice(folder.length), promised] as const))('is refused on the argument that is wrong, with its sentence and path: %s', (_, promised) => {
    const own = { diagnostics: compiled.diagnostics.filter(d => d.file === promised.file) }
    expect(complaints([promised], own)).toEqual([])
  })

  it('has exactly the output its author expects, and nothing else is refused', () => {
    const others = { diagnostics: compiled.diagnostics.filter(d => !cases.some(c => c.file === d.file)) }
    expect(complaints([], others)).toEqual([])
  })
})

describe('the same program, built at run time', () => {
  describe.each(cases.map(promised => [promised.file.slice(folder.length), promised] as const))('%s', (name, { file, refusals, gives, runs }) => {
    const outcome = async (exported: string) => {
      const program = (await import(/* @vite-ignore */ file)) as Readonly<Record<string, unknown>>
      const found = program[exported]
      if (!isModel(found)) throw new Error(`${name}: ${exported} is not a model`)
      return shapeOf(found as unknown as Model<unknown, unknown>)
    }

    if (refusals.length > 0)
      it.each(refusals.map(r => [r.name, r] as const))('is refused with the same sentence and path: %s', async (exported, { says, at, remedy }) => {
        // A size the compiler did not know is known by now.
        const sentence = says.includes('?×') ? expect.stringMatching(new RegExp(`^${says.replace(/[()]/g, '\\$&').replaceAll('?', '\\d+')}$`)) : says
        expect(await outcome(exported)).toMatchObject({ _tag: 'Left', left: { sentence, path: at, ...(remedy === '' ? {} : { remedy }) } })
      })

    if (gives.length > 0)
      it.each(gives.map(g => [g.name, g] as const))('gives the same shape: %s', async (exported, { text }) => {
        const shape = shapeValue(text)
        expect(await outcome(exported)).toEqual(shape === undefined ? expect.objectContaining({ _tag: 'Right' }) : { _tag: 'Right', right: shape })
      })

    if (runs.length > 0)
      it.each(runs.map(r => [r.name, r] as const))('is refused where the compiler could not know: %s', async (exported, { text }) => {
        expect(await outcome(exported)).toMatchObject({ _tag: 'Left', left: { sentence: text } })
      })
  })
})

describe('the harness itself', () => {
  const header = `import { pipe } from 'fp-ts/lib/function.js'\nimport { encoderBlock, input, linear, type OutputOf } from 'vitrail'\n${exactlyHelper}`
  const canaries: Readonly<Record<string, readonly [string, string]>> = {
    'a sentence that is never said': ['export const a = pipe(\n  input(4, 6),\n  // says: attention: 6 channels do not split into 5 heads (4×7)\n  encoderBlock({ numHeads: 5 }))', 'refused without'],
    'another path': ['export const a = pipe(\n  input(4, 6),\n  // says: attention: 6 channels do not split into 5 heads (4×6)\n  // at: blocks.0 › attention\n  encoderBlock({ numHeads: 5 }))', 'refused without'],
    'an argument that is right': ['export const a = pipe(\n  input(4, 6),\n  // says: attention: 6 channels do not split into 3 heads (4×6)\n  encoderBlock({ numHeads: 3 }))', 'not refused'],
    'a wrong argument nobody expects': ['export const a = pipe(\n  input(4, 6),\n  encoderBlock({ numHeads: 5 }))', 'unexpected'],
    'another argument than the wrong one': ['export const a = pipe(\n  input(4, 6),\n  // says: attention: 6 channels do not split into 5 heads (4×6)\n  linear(6),\n  encoderBlock({ numHeads: 5 }))', 'not refused'],
    'a shape that is not exactly so': ['export const a = pipe(input(4, 6), linear(7))\nexactly<OutputOf<typeof a>, readonly [4, number]>()', 'unexpected'],
    'a type that says nothing': ['declare const a: Parameters<typeof JSON.stringify>[0]\nexactly<typeof a, readonly [4, 6]>()', 'unexpected'],
  }

  it.each(versions)('complains under TypeScript %s of each canary, and of nothing else', async version => {
    const files = scratch('canaries', Object.fromEntries(Object.values(canaries).map(([source], i) => [`canary${i}.ts`, header + source])))
    const compiled = await compile(version, files)
    const found = files.map(file => complaints([annotations(file)], { diagnostics: compiled.diagnostics.filter(d => d.file === file) }))
    Object.entries(canaries).forEach(([name, [, complaint]], i) => expect([name, found[i]]).toEqual([name, expect.arrayContaining([expect.stringContaining(complaint)])]))
  })

  it('is content with a program that keeps its promises', async () => {
    const file = scratch('canaries', { 'content.ts': `${header}export const a = pipe(\n  input(4, 6),\n  // says: attention: 6 channels do not split into 5 heads (4×6)\n  encoderBlock({ numHeads: 5 }))\nexactly<3, 3>()` })
    expect(complaints(file.map(f => annotations(f)), await compile('7', file))).toEqual([])
  })
})
