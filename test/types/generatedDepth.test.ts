import { describe, expect, it } from 'vitest'
import { compile, scratch, versions } from './compile.js'

/** A model of many layers of several kinds, as one writes them. */
const deepModel = (depth: number): string => {
  const cycle = ['layerNorm()', 'selfAttention({ numHeads: 3 })', 'residual(mlp())', 'linear(12)', "named('PART', linear(12))"]
  const layers = Array.from({ length: depth }, (_, i) => cycle[i % cycle.length]!.replace('PART', `part${i}`))
  const piped = Array.from({ length: Math.ceil(depth / 18) }, (_, i) => layers.slice(18 * i, 18 * (i + 1))).reduce((before, part) => `pipe(\n  ${[before, ...part].join(',\n  ')},\n)`, 'input(7, 12)')
  return `import { pipe } from 'fp-ts/lib/function.js'\nimport { input, layerNorm, linear, mlp, named, residual, selfAttention, type OutputOf } from 'vitrail'\nexport const deep = ${piped}\nexport const shape: OutputOf<typeof deep> = [7, 12]\n`
}

describe.each(versions)('instantiations as depth grows, under TypeScript %s', version => {
  it('stay flat for each layer, to 50 layers', async () => {
    const depths = [10, 30, 50]
    const files = scratch('depth', Object.fromEntries(depths.map(depth => [`depth${depth}.ts`, deepModel(depth)])))
    const costs: number[] = []
    for (const file of files) {
      const { diagnostics, instantiations } = await compile(version, [file], ['--noEmit', '--extendedDiagnostics'])
      expect(diagnostics).toEqual([])
      costs.push(instantiations)
    }
    const each = depths.slice(1).map((depth, i) => (costs[i + 1]! - costs[i]!) / (depth - depths[i]!))
    expect(Math.min(...each)).toBeGreaterThan(1)
    // Later layers cost no more than earlier ones, but for the pipe that every eighteenth begins.
    expect(Math.max(...each)).toBeLessThan(1.5 * each[0]! + 50)
    expect(Math.max(...each)).toBeLessThan(500)
  })
})
