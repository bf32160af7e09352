import { readdirSync, readFileSync } from 'node:fs'
import { root } from './compile.js'

const imports = `import { pipe } from 'fp-ts/lib/function.js'
import { input, patchEmbed, flattenTokens, classToken, positionEmbed, repeat, encoderBlock, layerNorm, takeToken, linear, type Model } from 'vitrail'
`

interface Sizes {
  readonly name: string
  readonly imageSize: number
  readonly dim: number
  readonly blocks: string
}

/** DESIGN.md section 1 at another size; the annotation makes the compiler work out both shapes. */
const vit = ({ name, imageSize, dim, blocks }: Sizes): string => `export const ${name}: Model<readonly [${imageSize}, ${imageSize}, 3], readonly [1000]> = pipe(
  input(${imageSize}, ${imageSize}, 3),
  patchEmbed({ patchSize: 16, dim: ${dim} }),
  flattenTokens(),
  classToken(),
  positionEmbed(),
${blocks}
  layerNorm(),
  takeToken(0),
  linear(1000),
)
`
const small = vit({ name: 'small', imageSize: 32, dim: 48, blocks: '  repeat(2, encoderBlock({ numHeads: 3 })),' })
const vitL = vit({ name: 'vitL', imageSize: 224, dim: 1024, blocks: '  repeat(24, encoderBlock({ numHeads: 16 })),' })
const vitB = (blocks: string): string => vit({ name: 'vitB', imageSize: 224, dim: 768, blocks })

/** The families of recipes that are imported on their own: `vitrail/recipes/vit`. */
export const families: readonly string[] = readdirSync(`${root}recipes`).filter(file => /^\w+\.ts$/.test(file) && file !== 'index.ts').map(file => file.slice(0, -3))

/** The name of a family's table: `vitRecipes`. */
const tableOf = (family: string): string => /export const (\w+Recipes) = \{/.exec(readFileSync(`${root}recipes/${family}.ts`, 'utf8'))![1]!

const outputsOf = (table: string): string => `import type { OutputOf } from 'vitrail'
type Outputs = { [K in keyof typeof ${table}]: OutputOf<(typeof ${table})[K]['model']> }
export const outputs: Readonly<Record<keyof typeof ${table}, object>> = null! as Outputs
`

/** Programs whose cost is measured, by file name; each compiles without error. */
export const programs = {
  'empty.ts': `${imports}export {}\n`,
  'small.ts': `${imports}${small}`,
  'smallAndVitL.ts': `${imports}${small}${vitL}`,
  'vitB.ts': `${imports}${vitB('  repeat(12, encoderBlock({ numHeads: 12 })),')}`,
  'vitB12.ts': `${imports}${vitB('  encoderBlock({ numHeads: 12 }),\n'.repeat(12).trimEnd())}`,
  'recipes.ts': `import { recipes } from 'vitrail/recipes'\n${outputsOf('recipes')}export const base: readonly [1000] = null! as Outputs['vit_base_patch16_224']\n`,
} as const

/** Costs more than a model should, as it would if the arithmetic counted one by one. */
export const careless = `${imports}type Count<N extends number, R extends readonly 0[] = []> = R['length'] extends N ? R : Count<N, [...R, 0]>
${Array.from({ length: 8 }, (_, i) => `export const n${i}: Count<${700 + i}>['length'] = ${700 + i}`).join('\n')}
`

/** One family's models, each type worked out. */
export const familyProgram = (family: string): string => `import { ${tableOf(family)} } from 'vitrail/recipes/${family}'\n${outputsOf(tableOf(family))}`

/** What some programs cost, in instantiations. */
export type Costs = Readonly<Record<keyof typeof programs, number>>

/** What must hold of the costs, under each version of TypeScript. */
export const budgets: readonly { readonly says: string; readonly cost: (costs: Costs) => number; readonly below: number }[] = [
  { says: 'a file that declares ViT-B, over one that only imports the library', cost: c => c['vitB.ts'] - c['empty.ts'], below: 10_000 },
  { says: "ViT-L in a file that uses the same layers once, so that the library's own types are paid for", cost: c => c['smallAndVitL.ts'] - c['small.ts'], below: 5_000 },
  { says: 'twelve blocks written out, as a multiple of the same repeated', cost: c => (c['vitB12.ts'] - c['empty.ts']) / (c['vitB.ts'] - c['empty.ts']), below: 1.05 },
  { says: 'all recipes, each model type worked out', cost: c => c['recipes.ts'], below: 300_000 },
]
