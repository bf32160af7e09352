import { readFileSync } from 'node:fs'
import { pipe } from 'fp-ts/lib/function.js'
import { beforeAll, describe, expect, it } from 'vitest'
import { gradient, globalPool, identity, input, isModel, layerNorm, linear, named, ops, parametersOf, repeat, serial, shapeOf, showProblem, stages, trace, type AnyModel, type Layer, type Model, type Same, type ShapeFunction, type Tensor } from '../../src/index.js'
import { collectNodes } from '../../src/graph/graph.js'
import { evaluateGraph } from '../evaluateGraph.js'
import { valueOf } from '../support/either.js'
import { shapeType } from '../types/annotations.js'
import { compile, exactlyHelper, scratch, showDiagnostic } from '../types/compile.js'

/** The files of the how-to, by name. */
const page = readFileSync('docs/how-to/declare-an-architecture.md', 'utf8')
const blocks = Object.fromEntries([...page.matchAll(/^```ts (\S+)\n([^]*?)^```/gm)].map(([, name, text]) => [name!, text!]))

/** What it says of the models in them: `export const name = …` and, in a comment right behind, `Model<input, output>`. */
const promised = Object.entries(blocks).flatMap(([file, text]) => [...text.matchAll(/^export const (\w+) = pipe\((?:(?!^export)[^])*?^\/\/ Model<(\[.*?\]), (\[.*?\])>$/gm)].map(([, name, before, after]) => ({ file, name: name!, before: before!, after: after! })))

const written = scratch('declaring', {
  ...blocks,
  'exact.ts': `import type { Integers, Model } from 'vitrail'
${Object.keys(blocks).map((name, i) => `import type * as file${i} from './${name.replace(/\.ts$/, '.js')}'`).join('\n')}
${exactlyHelper}${promised.map(({ file, name, before, after }) => `exactly<typeof file${Object.keys(blocks).indexOf(file)}.${name}, Model<${shapeType(before)}, ${shapeType(after)}>>()`).join('\n')}
`,
})
const imported = async (file: string): Promise<Readonly<Record<string, unknown>>> => import(/* @vite-ignore */ written.find(path => path.endsWith(`/${file}`))!) as Promise<Readonly<Record<string, unknown>>>

describe('the how-to of declaring an architecture', () => {
  it.each(['5.9', '7'] as const)('is right TypeScript, and its models have exactly the types it says, under TypeScript %s', async version => {
    expect(promised.map(({ name }) => name)).toEqual(['mixerB16', 'pvtV2B0', 'lateClass', 'uShaped', 'acrossChannels'])
    expect((await compile(version, written)).diagnostics.map(showDiagnostic)).toEqual([])
  })

  it.each(promised.map(each => [each.name, each] as const))('gives the same when it is traced: %s', async (name, { file, after }) => {
    const found = (await imported(file))[name]
    if (!isModel(found)) throw new Error(`${name} is not a model`)
    expect(valueOf(shapeOf(found as unknown as Model<unknown, unknown>))).toEqual(JSON.parse(after))
  })

  it('says what the compiler says of three heads, and where', async () => {
    const [wrong] = scratch('declaring', { 'wrong.ts': blocks['pvt.ts']!.replace('block(160, 5,', 'block(160, 3,') }) as [string]
    const told = /^`(ShapeError<.*>)`/m.exec(page)![1]!
    expect((await compile('7', [wrong])).diagnostics.map(({ message }) => message.split('\n').at(-1))).toEqual([expect.stringContaining(told)])
  })

  it('shows a record of inputs as the shapes it holds', async () => {
    const [shown] = scratch('declaring', { 'shown.ts': "import { pipe } from 'fp-ts/lib/function.js'\nimport { input, inputs, joinTokens } from 'vitrail'\nexport const joined = pipe(inputs({ x: input(4, 8), y: input(3, 6) }), joinTokens())\n" }) as [string]
    const message = (await compile('7', [shown])).diagnostics[0]?.message
    expect(message).toContain('Model<{ readonly x: readonly [4, 8]; readonly y: readonly [3, 6]; }, { readonly x: readonly [4, 8]; readonly y: readonly [3, 6]; }>')
    expect(message).not.toContain('Fields<')
  })

  it('has an own layer that refuses at run time what the compiler refuses', async () => {
    const { crossCovariance } = (await imported('crossCovariance.ts')) as { readonly crossCovariance: (numHeads: number) => Layer<ShapeFunction> }
    const said = (m: unknown): string => {
      const traced = trace(m as AnyModel)
      return traced._tag === 'Left' ? showProblem(traced.left) : 'nothing'
    }
    const refusing = 'crossCovariance: 192 channels do not split into 5 heads'
    expect(said((crossCovariance(5) as (m: unknown) => unknown)(input(196, 192)))).toContain(refusing)
    const [wrong] = scratch('declaring', { 'split.ts': blocks['crossCovariance.ts']!.replace('crossCovariance(4)', 'crossCovariance(5)') }) as [string]
    expect((await compile('7', [wrong])).diagnostics.map(({ message }) => message)).toEqual([expect.stringContaining(refusing)])
  })
})

/** What timm computes for small ones, by test/fixtures/declared/make.py. */
interface Recording {
  readonly params: number
  readonly x: readonly number[]
  readonly y: readonly number[]
  readonly slope: readonly number[]
  readonly gradient: readonly number[]
  readonly weights: Readonly<Record<string, readonly number[]>>
}
const recordings = JSON.parse(readFileSync('test/fixtures/declared/declared.json', 'utf8')) as Readonly<Record<string, Recording>>

describe('a small one gives what timm gives, and has its gradient, with its weights by its names', () => {
  let made: Readonly<Record<string, AnyModel>>
  beforeAll(async () => {
    // What the files export has types of its own, which the compiler has checked above; here any will do.
    const all = Object.assign({}, ...(await Promise.all(Object.keys(blocks).map(async file => ({ [file]: await imported(file) }))))) as Readonly<Record<string, Readonly<Record<string, (...options: readonly unknown[]) => Layer<Same>>>>>
    const [{ mixer }, { embed, reduced, block }, { classAttention }, { crossCovariance }] = [all['mixer.ts']!, all['pvt.ts']!, all['parting.ts']!, all['crossCovariance.ts']!]
    const stage = (depth: number, ...of: readonly unknown[]) => serial(repeat(depth, block!(...of)), layerNorm())
    const down = (dim: number) => named('downsample', embed!(dim, 3, 2, 1))
    const of = (m: unknown): AnyModel => m as AnyModel
    made = {
      mixer: of(pipe(input(16, 16, 3), mixer!({ patchSize: 8, dim: 12, depth: 2, tokensDim: 6, numClasses: 3 }))),
      pvt: of(pipe(
        input(32, 32, 2),
        named('patch_embed', embed!(4, 7, 4, 3)),
        stages(stage(1, 4, 1, 8, reduced!(4, 8)), serial(down(4), stage(2, 4, 2, 8, reduced!(4, 4))), serial(down(6), stage(1, 6, 3, 6, reduced!(6, 2))), serial(down(8), stage(1, 8, 2, 8, identity()))),
        globalPool(),
        named('head', linear(3)),
      )),
      classAttention: of(pipe(input(5, 8), classAttention!(4))),
      crossCovariance: of(pipe(input(5, 8), crossCovariance!(2))),
    }
  })

  it.each(Object.keys(recordings))('%s', name => {
    const { params, x, y, slope, gradient: wanted, weights } = recordings[name]!
    const graph = valueOf(trace(made[name]!))
    const parameters = parametersOf(graph)
    expect(parameters.map(p => p.attributes.name).sort()).toEqual(Object.keys(weights).sort())
    expect(parameters.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)).toBe(params)
    const output = graph.output as Tensor
    const into = collectNodes([output]).find(node => node.op === 'input')!
    const loss = ops.batchSum(ops.sum(ops.multiply(output, ops.input('slope', output.shape)), output.shape.map((_, axis) => axis), false))
    const [found, back] = evaluateGraph([output, gradient(loss, [into]).of.get(into)!], 2, node => ('name' in node.attributes ? (node.op === 'parameter' ? weights[node.attributes.name]! : node.attributes.name === 'slope' ? slope : x) : []))
    for (const [values, recorded] of [[found!.data, y], [back!.data, wanted]] as const) {
      expect(values.length).toBe(recorded.length)
      const largest = Math.max(1, ...recorded.map(Math.abs))
      recorded.forEach((value, i) => expect(Math.abs(values[i]! - value) / largest, `element ${i}`).toBeLessThan(1e-6))
    }
  })
})
