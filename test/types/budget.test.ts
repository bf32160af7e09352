import { beforeAll, describe, expect, it } from 'vitest'
import { compile, scratch, versions } from './compile.js'

const imports = `import { pipe } from 'fp-ts/lib/function.js'
import { input, patchEmbed, flattenTokens, classToken, positionEmbed, repeat, encoderBlock, layerNorm, takeToken, linear, type Model } from 'vitrail'
`

/** DESIGN.md section 1 at the size of ViT-B/16; the annotation makes the compiler work out both shapes. */
const vitB = (blocks: string): string => `${imports}export const vitB: Model<readonly [224, 224, 3], readonly [1000]> = pipe(
  input(224, 224, 3),
  patchEmbed({ patchSize: 16, dim: 768 }),
  flattenTokens(),
  classToken(),
  positionEmbed(),
${blocks}
  layerNorm(),
  takeToken(0),
  linear(1000),
)
`

const recipes = `import { recipes } from 'vitrail/recipes'
import type { OutputOf } from 'vitrail'
type Outputs = { [K in keyof typeof recipes]: OutputOf<(typeof recipes)[K]['model']> }
export const outputs: Readonly<Record<keyof typeof recipes, object>> = null! as Outputs
export const base: readonly [1000] = null! as Outputs['vit_base_patch16_224']
`

/** Costs more than a model should, as it would if the arithmetic counted one by one. */
const careless = `${imports}type Count<N extends number, R extends readonly 0[] = []> = R['length'] extends N ? R : Count<N, [...R, 0]>
${Array.from({ length: 8 }, (_, i) => `export const n${i}: Count<${700 + i}>['length'] = ${700 + i}`).join('\n')}
`

const programs = {
  'empty.ts': `${imports}export {}\n`,
  'vitB.ts': vitB('  repeat(12, encoderBlock({ numHeads: 12 })),'),
  'vitB12.ts': vitB('  encoderBlock({ numHeads: 12 }),\n'.repeat(12).trimEnd()),
  'recipes.ts': recipes,
  'careless.ts': careless,
}
const names = Object.keys(programs) as (keyof typeof programs)[]

describe.each(versions)('instantiations, under TypeScript %s', version => {
  const cost = {} as Record<keyof typeof programs, number>
  beforeAll(async () => {
    const files = scratch('budget', programs)
    for (const [i, name] of names.entries()) {
      const { diagnostics, instantiations } = await compile(version, [files[i]!], ['--noEmit', '--extendedDiagnostics'])
      expect([name, diagnostics]).toEqual([name, []])
      expect(instantiations).not.toBeNaN()
      cost[name] = instantiations
    }
  })

  it('a file that declares ViT-B costs under 10,000 more than one that only imports the library', () => {
    expect(cost['vitB.ts'] - cost['empty.ts']).toBeGreaterThan(1000)
    expect(cost['vitB.ts'] - cost['empty.ts']).toBeLessThan(10_000)
  })

  it('twelve blocks written out cost at most a twentieth more', () => {
    expect(cost['vitB12.ts'] - cost['empty.ts']).toBeLessThan(1.05 * (cost['vitB.ts'] - cost['empty.ts']))
  })

  it('all recipes, each model type worked out, cost under 300,000', () => {
    expect(cost['recipes.ts']).toBeLessThan(300_000)
  })

  it('a careless program is over the budget: the count counts', () => {
    expect(cost['careless.ts'] - cost['empty.ts']).toBeGreaterThan(10_000)
  })
})
