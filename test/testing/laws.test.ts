import { describe, expect, it } from 'vitest'
import { wasm } from '../../src/backends/wasm/index.js'
import { trace } from '../../src/graph/trace.js'
import { cost } from '../../src/graph/cost.js'
import { showProblem } from '../../src/shape/problem.js'
import { judged, obey, type Law } from '../../src/testing/laws/core/law.js'
import { Subject } from '../../src/testing/laws/core/subject.js'
import { laws } from '../../src/testing/laws/laws.js'
import type { AnyModel } from '../../src/index.js'
import { apply, samples } from '../layers/samples.js'
import { valueOf } from '../support/either.js'
import { breaking, lawful } from './faultyLayers.js'

const deep = process.env['VITRAIL_DEEP'] === '1'
const all = Object.values<Law>(laws)

const weightOf = (model: AnyModel): number => {
  const graph = valueOf(trace(model))
  return cost(graph).macs.total + graph.nodes.reduce((sum, { shape }) => sum + shape.reduce((n, size) => n * size, 1), 0)
}

/** Samples of every layer small enough to try all laws on; in the deep run all that are not huge. */
const models = samples.map(sample => ({ text: sample.text, model: apply(sample) as unknown as AnyModel })).filter(({ model }) => weightOf(model) < (deep ? 3e5 : 4000))

/** Laws that a sample breaks for a reason of its own. */
const excused: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'pipe(inputs({ x: input(8, 3), ids_restore: integerInput(6) }), unmaskTokens({ prefixTokens: 2 }))': { parametersMatter: 'there is nothing to unmask', gradientsReach: 'there is nothing to unmask' },
}

describe('every layer obeys every law', () => {
  it.each(models.map(({ text, model }) => [text, model] as const))('%s', async (text, model) => {
    const subject = new Subject(model, { backends: [wasm], runs: 1 })
    for (const law of all.filter(({ name }) => excused[text]?.[name] === undefined)) {
      const found = await judged(law, subject)()
      const told = found._tag === 'Left' ? showProblem(found.left) : found.right.is === 'broken' ? found.right.evidence : ''
      expect([law.name, told]).toEqual([law.name, ''])
    }
    subject.dispose()
  })
})

describe('every law can be broken', () => {
  /** Laws that only a fault outside of layers breaks: see lawsOfGraphs.test.ts. */
  const elsewhere = ['passesKeepValues', 'passesKeepGradients', 'gradientsExact', 'misfitsAreRefused']

  it('and is shown to be', () => {
    expect(all.map(({ name }) => name).filter(name => !(name in breaking) && !elsewhere.includes(name))).toEqual([])
  })

  const cases = Object.entries(breaking).flatMap(([name, broken]) => broken!.map(([model, evidence, options], i) => [`${name} (${i + 1})`, name as keyof typeof laws, model, evidence, options] as const))
  it.each(cases)('%s', async (_, name, model, evidence, options) => {
    const found = await (laws[name] as Law).check(model, options)()
    const told = found._tag === 'Left' ? showProblem(found.left) : found.right.is === 'broken' ? found.right.evidence : found.right.is
    expect(told).not.toMatch(/^(kept|silent)$/)
    expect(told).toMatch(evidence)
  })

  it.each(all.map(law => [law.name, law] as const))('%s is not broken by models with nothing wrong', async (_, law) => {
    for (const model of lawful) expect(valueOf(await law.check(model)()).is).not.toBe('broken')
  })
})

describe('a law', () => {
  it('says what it is and what a failure means', () => {
    for (const [key, { name, title, meaning }] of Object.entries(laws)) {
      expect(name).toBe(key)
      expect(title).toMatch(/^[a-z`].{10,}[^.]$|^JSON round trip$/)
      expect(meaning).toMatch(/^[A-Z].{20,}\.$/)
    }
  })

  it('throws where exceptions are wanted', async () => {
    const [model] = breaking.batchIndependence![0]!
    await expect(obey(model, laws.batchIndependence)).rejects.toThrow(/running a batch is running each of its samples: by definition/)
    await expect(obey(lawful[0]!, laws.batchIndependence)).resolves.toBeUndefined()
  })

  it('gives the same verdict for the same seed, and other numbers for another', async () => {
    const [model] = breaking.batchIndependence![0]!
    const told = async (seed: number): Promise<unknown> => valueOf(await laws.batchIndependence.check(model, { seed })())
    expect(await told(3)).toEqual(await told(3))
    expect(await told(3)).not.toEqual(await told(4))
  })
})
