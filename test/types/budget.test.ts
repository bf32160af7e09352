import { beforeAll, describe, expect, it } from 'vitest'
import { budgets, careless, programs, type Costs } from './budgets.js'
import { compile, scratch, versions } from './compile.js'

const names = Object.keys(programs) as (keyof typeof programs)[]

describe.each(versions)('instantiations, under TypeScript %s', version => {
  const cost = {} as { -readonly [K in keyof Costs]: number }
  beforeAll(async () => {
    const files = scratch('budget', programs)
    for (const [i, name] of names.entries()) {
      const { diagnostics, instantiations } = await compile(version, [files[i]!], ['--noEmit', '--extendedDiagnostics'])
      expect([name, diagnostics]).toEqual([name, []])
      expect(instantiations).not.toBeNaN()
      cost[name] = instantiations
    }
  })

  it.each(budgets.map(budget => [budget.says, budget] as const))('%s: within its budget', (_, budget) => {
    expect(budget.cost(cost)).toBeLessThan(budget.below)
  })

  it('a model that is worked out costs something', () => {
    expect(cost['vitB.ts'] - cost['empty.ts']).toBeGreaterThan(1000)
  })
})

it('a careless program is over the budget: the count counts', async () => {
  const [file] = scratch('budget', { 'careless.ts': careless })
  expect((await compile('7', [file!], ['--noEmit', '--extendedDiagnostics'])).instantiations).toBeGreaterThan(10_000)
})
