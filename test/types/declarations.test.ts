import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { compile, exactlyHelper, root, scratch, showDiagnostic, versions } from './compile.js'

/** A package built on this one: what it exports has to be nameable in its own declarations. */
const program = `import { pipe } from 'fp-ts/lib/function.js'
import {
  attentionDropout, classToken, conv2d, distillationToken, dropPath, dropout, embedding, encoderBlock, expectShape, fanOut, flattenTokens, gelu, globalPool, identity, input, inputs, integerInput,
  layerNorm, layerScale, linear, mapLayer, merge, mlp, named, parallel, patchEmbed, positionEmbed, registerTokens, relu, repeat, residual, rmsNorm, selfAttention, serial, silu, softmax, stages, takeToken,
  tanh, tap, tokenDropout, when,
} from 'vitrail'
import { deitDistilled, recipes, vit, vitRecipe } from 'vitrail/recipes'

interface Config {
  readonly patchSize: number
  readonly dim: number
  readonly depth: number
  readonly numHeads: number
}

export const backbone = <const C extends Config>(config: C) =>
  serial(
    patchEmbed({ patchSize: config.patchSize as C['patchSize'], dim: config.dim as C['dim'] }),
    flattenTokens(),
    classToken(),
    positionEmbed(),
    repeat(config.depth, index => encoderBlock({ numHeads: config.numHeads as C['numHeads'], dropPath: index / 100 })),
  )

export const tiny = pipe(input(224, 224, 3), backbone({ patchSize: 16, dim: 192, depth: 12, numHeads: 3 }), takeToken(0), linear(1000))
export const block = residual(serial(layerNorm(), mlp(), tap('mlp', identity()), dropPath(0.1)))
export const everyLayer = {
  conv: conv2d({ dim: 8, kernelSize: 3 }), tokens: serial(registerTokens(4), distillationToken()), drops: serial(dropout(0.1), tokenDropout(0.1)), weights: attentionDropout(0.1),
  activations: serial(gelu(), relu(), silu(), tanh(), softmax()), norms: serial(rmsNorm(), layerScale()), attention: selfAttention({ numHeads: 2 }), pool: globalPool(), text: embedding({ vocabularySize: 10, dim: 4 }),
  shape: expectShape(3, 4), choice: when(true, linear(3)), hierarchy: stages(linear(4), linear(8)), mapped: mapLayer(linear(4), layer => layer),
}
export const heads = pipe(input(198, 192), fanOut({ cls: takeToken(0), dist: takeToken(1) }), parallel({ cls: named('head', linear(10)) }))
export const merged = pipe(inputs({ image: input(77, 192), text: integerInput(77) }), parallel({ text: embedding({ vocabularySize: 10, dim: 192 }) }), merge('concat'))
export const published = recipes.vit_base_patch16_224.model
export const distilled = pipe(input(32, 32, 3), deitDistilled({ patchSize: 16, dim: 48, depth: 1, numHeads: 3, numClasses: 5 }))
export const small = vitRecipe({ imageSize: 32, patchSize: 16, dim: 48, depth: 1, numHeads: 3 })
export const own = <const N extends number>(numClasses: N) => pipe(input(32, 32, 3), vit({ patchSize: 16, dim: 48, depth: 1, numHeads: 3, numClasses: 10 }), linear(numClasses))
`

const consumer = `import { pipe } from 'fp-ts/lib/function.js'
import { input, takeToken, type OutputOf } from 'vitrail'
import { backbone, merged, own, published, tiny } from './library.js'
${exactlyHelper}const used = pipe(input(32, 64, 3), backbone({ patchSize: 16, dim: 48, depth: 2, numHeads: 4 }))
exactly<OutputOf<typeof used>, readonly [9, 48]>()
exactly<OutputOf<typeof tiny>, readonly [1000]>()
exactly<OutputOf<typeof merged>, readonly [77, 384]>()
exactly<OutputOf<typeof published>, readonly [1000]>()
const seven = own(7)
exactly<OutputOf<typeof seven>, readonly [7]>()
export const wrong = pipe(used,
  takeToken(9))
`

/** All that can be imported; of the recipes' files, one. */
const entries = ['vitrail', ...['recipes', 'recipes/vit', 'training', 'search', 'testing', 'testing/arbitraries', ...['cpu', 'node', 'node-gpu', 'reference', 'tfjs', 'tfjs-wasm', 'wasm'].map(name => `backends/${name}`), ...['json', 'mermaid', 'svg'].map(name => `exporters/${name}`)].map(name => `vitrail/${name}`)]

const project = `${root}.scratch/types/user`

describe('a package built on this one', () => {
  // The package as npm installs it, not linked to its sources: names in declarations then go by its exports.
  beforeAll(() => {
    rmSync(project, { recursive: true, force: true })
    const installed = `${project}/node_modules/vitrail`
    cpSync(`${root}dist`, `${installed}/dist`, { recursive: true, filter: path => !path.endsWith('.js') && !path.endsWith('.map') })
    cpSync(`${root}package.json`, `${installed}/package.json`)
    writeFileSync(`${project}/package.json`, JSON.stringify({ name: 'user', type: 'module' }))
  })

  it.each(versions)('has declarations that name every type, and that tell its own users the shapes, under TypeScript %s', async version => {
    const [file] = scratch(`user/${version}`, { 'library.ts': program })
    const out = `${project}/${version}/out`
    const emitted = await compile(version, [file!], ['--declaration', '--emitDeclarationOnly', '--rootDir', `${project}/${version}`, '--outDir', out])
    expect(emitted.diagnostics.map(showDiagnostic)).toEqual([])
    expect(readFileSync(`${out}/library.d.ts`, 'utf8')).not.toMatch(/\bany\b/)

    const [user] = scratch(`user/${version}/out`, { 'consumer.ts': consumer })
    const used = await compile(version, [user!])
    expect(used.diagnostics.map(d => d.line)).toEqual([consumer.split('\n').findIndex(line => line.includes('takeToken(9)')) + 1])
    expect(used.diagnostics[0]!.message).toContain('takeToken: there is no token 9 among 9 (9×48)')
  })

  it.each(versions)('has declarations that are right in themselves, without the types of Node, under TypeScript %s', async version => {
    const [file] = scratch(`user/${version}`, { 'entries.ts': entries.map((entry, i) => `export * as e${i} from '${entry}'\n`).join('') })
    const { diagnostics } = await compile(version, [file!], ['--noEmit', '--skipLibCheck', 'false', '--typeRoots', `${project}/none`])
    expect(diagnostics.map(showDiagnostic)).toEqual([])
  })
})
