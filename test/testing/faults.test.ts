import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { root } from '../conventions/sources.js'
import { checkInjected } from './faults/bench.mjs'
import { faults, type Fault } from './faults/faults.mjs'

const deep = process.env['VITRAIL_DEEP'] === '1'
const dist = `${root}dist`

/** Two that are found in seconds; the deep run injects all whose models are checked in seconds, `npm run faults` the others too. */
const chosen: readonly Fault[] = deep ? faults.filter(({ target }) => /^(vit_tiny|deit|convit)/.test(target)) : faults.filter(({ name }) => ['selfAttention takes keys for values', 'ViT takes its second token'].includes(name))

describe('the catalogue of faults', () => {
  it('has many, of every sort', () => {
    expect(faults.length).toBeGreaterThanOrEqual(40)
    expect([...new Set(faults.map(({ category }) => category))].sort()).toEqual(['NaN', 'axis', 'batch', 'dropped', 'leak', 'recipe', 'shape', 'sharing', 'wiring'])
    expect(new Set(faults.map(({ name }) => name)).size).toBe(faults.length)
  })

  // In the deep run all of them; who changes a layer need not mind them before.
  it.each(chosen.map(fault => [fault.name, fault] as const))('%s: the line it changes is there', (_, { file, find }) => {
    expect(existsSync(`${dist}/${file}`)).toBe(true)
    expect(readFileSync(`${dist}/${file}`, 'utf8')).toContain(find)
  })
})

describe('vitrail check finds', () => {
  it.each(chosen.map(fault => [`${fault.category}: ${fault.name}`, fault] as const))('%s', { timeout: 600_000 }, async (_, fault) => {
    const { found, layers, err } = await checkInjected(dist, fault)
    expect([found, err]).toEqual([true, ''])
    expect(layers).toBeLessThanOrEqual(4)
  })
})
