import { pipe } from 'fp-ts/lib/function.js'
import { left, right } from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { gelu, input, linear, problem, selfAttention } from '../../src/index.js'
import { defineSpace } from '../../src/search/defineSpace.js'
import { paretoFront } from '../../src/search/paretoFront.js'
import { paretoPicture } from '../../src/search/paretoPicture.js'
import { priceOf } from '../../src/search/priceOf.js'
import { search, type SearchEvent, type SearchOptions } from '../../src/search/search.js'
import { searchReport } from '../../src/search/searchReport.js'
import { random } from '../../src/training/random.js'
import { problemOf, valueOf } from '../support/either.js'

const sizes = Array.from({ length: 24 }, (_, i) => i + 1)
const space = defineSpace({ a: sizes, b: sizes, c: sizes }, ({ a, b, c }) => pipe(input(8), linear(a), gelu(), linear(b), gelu(), linear(c)))
type Picked = Parameters<typeof space.model>[0]

/** Best where all three are near their own values: one hill, and a ridge between them. */
const worth = ({ a, b, c }: Picked): number => 1 / (1 + Math.abs(a - 17) + Math.abs(b - 5) + Math.abs(c - a / 2))
const score = ({ picked }: { readonly picked: Picked }) => async () => right(worth(picked))
const run = async (options: SearchOptions<Picked> = {}, budget = {}) => valueOf(await search(space, score, budget, { population: 20, generations: 12, ...options })())

/** All choices, by brute force. */
const every = sizes.flatMap(a => sizes.flatMap(b => sizes.map(c => ({ a, b, c }) as Picked))).map(picked => ({ picked, ...valueOf(priceOf(space.model(picked) as never)), score: worth(picked) }))

describe('a search', () => {
  it('comes nearer to the best there is than as many random choices', async () => {
    const found = await run({ seed: 3 })
    const best = Math.max(...every.map(one => one.score))
    const blind = Array.from({ length: found.scored.length }, (_, i) => worth(space.sample(random(3, 'blind', i))))
    expect(found.scored.length).toBe(240)
    expect(found.best.score).toBeGreaterThan(best / 2)
    expect(found.best.score).toBeGreaterThan(1.5 * Math.max(...blind))
  })

  it('never goes over its budget, and finds the best within it where it may look at all', async () => {
    const budget = { params: [60, 110], macs: 90 } as const
    const few = sizes.slice(0, 8)
    const small = defineSpace({ a: few, b: few, c: few }, space.model)
    const allowed = every.filter(({ picked: { a, b, c }, params, macs }) => Math.max(a, b, c) <= 8 && params >= 60 && params <= 110 && macs <= 90)
    const found = valueOf(await search(small, score, budget, { population: 20, generations: 40, seed: 1 })())
    expect(found.scored.every(({ params, macs }) => params >= 60 && params <= 110 && macs <= 90)).toBe(true)
    expect([found.reason, found.scored.length]).toEqual(['exhausted', allowed.length])
    expect(found.best.score).toBe(Math.max(...allowed.map(one => one.score)))
    expect(found.rejected).toBeGreaterThan(0)
  })

  it('is the same for the same seed, another for another, and scores nothing twice', async () => {
    const keys = async (seed: number) => (await run({ seed })).scored.map(({ key }) => key)
    const [first, again, other] = [await keys(1), await keys(1), await keys(2)]
    expect(again).toEqual(first)
    expect(other).not.toEqual(first)
    expect(new Set(first).size).toBe(first.length)
  })

  it('goes on from scores of before without asking again', async () => {
    const asked: string[] = []
    const whole = await run({ seed: 5 })
    const half = new Map(whole.scored.slice(0, 100).map(({ key, score: value }) => [key, value]))
    const again = valueOf(await search(space, one => (asked.push(one.key), score(one)), {}, { population: 20, generations: 12, seed: 5, known: half })())
    expect(again.scored.map(({ key, score: value }) => [key, value])).toEqual(whole.scored.map(({ key, score: value }) => [key, value]))
    expect(asked).toEqual(whole.scored.slice(100).map(({ key }) => key))
  })

  it('ends when there is nothing new, and has then seen all', async () => {
    const few = defineSpace({ dim: [1, 2, 3] }, ({ dim }) => pipe(input(4), linear(dim)))
    const found = valueOf(await search(few, ({ params }) => async () => right(-params), {}, { population: 2, generations: 9 })())
    expect([found.reason, found.scored.length, found.best.picked]).toEqual(['exhausted', 3, { dim: 1 }])
  })

  it('begins with what it is given, and passes over what makes no model', async () => {
    const heads = defineSpace({ numHeads: [1, 2, 3, 4] }, ({ numHeads }) => pipe(input(5, 8), selfAttention({ numHeads: numHeads as 1 })))
    const found = valueOf(await search(heads, () => async () => right(1), {}, { population: 4, generations: 3, start: [{ numHeads: 4 }] })())
    expect(found.scored[0]!.picked).toEqual({ numHeads: 4 })
    expect(found.scored.map(({ picked }) => picked.numHeads).sort()).toEqual([1, 2, 4])
    expect(found.rejected).toBe(1)
  })

  it('tells each score and each generation', async () => {
    const events: SearchEvent<Picked>[] = []
    await run({ generations: 2, onEvent: event => events.push(event) })
    expect(events.map(({ kind }) => kind)).toEqual([...Array.from({ length: 20 }, () => 'scored'), 'generation', ...Array.from({ length: 20 }, () => 'scored'), 'generation'])
    expect(events[24]).toMatchObject({ done: 24, total: 40 })
  })

  it('stopped on the way, has what it scored', async () => {
    const controller = new AbortController()
    const found = await run({ signal: controller.signal, onEvent: event => event.kind === 'scored' && event.done === 7 && controller.abort() })
    expect([found.reason, found.scored.length]).toEqual(['aborted', 7])
  })

  it.each([
    [{ budget: { params: 5 } }, 'noneWithinBudget'],
    [{ budget: { macs: [10, 5] } }, 'badBudget'],
    [{ options: { population: 0 } }, 'badOption'],
    [{ options: { mutationRate: 0 } }, 'badOption'],
    [{ score: () => async () => right(NaN) }, 'badScore'],
    [{ score: () => async () => left(problem('dataLost', 'the data are gone')) }, 'dataLost'],
  ] as const)('refuses %j: %s', async (given, code) => {
    const { budget = {}, options = {}, score: own = score } = given as { budget?: object; options?: object; score?: typeof score }
    expect(problemOf(await search(space, own, budget, { population: 3, generations: 2, ...options })()).code).toBe(code)
  })

  it('says what the cheapest would have cost, where nothing is within the budget', async () => {
    expect(problemOf(await search(space, score, { macs: 3 }, { population: 2 })()).sentence).toMatch(/^search: none of \d+ choices is within the budget \{"macs":3\}; the cheapest has \d+ parameters and \d+ multiply-adds$/)
  })
})

describe('a Pareto front', () => {
  it.each([1, 2, 3])('holds just those than which nothing is cheaper and as good (seed %i)', seed => {
    const draw = random(seed, 'front', 0)
    const points = Array.from({ length: 60 }, () => ({ params: draw.below(12), macs: draw.below(12), score: draw.below(12) }))
    for (const axis of ['params', 'macs'] as const) {
      const beaten = (p: (typeof points)[number]): boolean => points.some(q => q[axis] <= p[axis] && q.score >= p.score && (q[axis] < p[axis] || q.score > p.score))
      const expected = [...new Set(points.filter(p => !beaten(p)).map(p => `${p[axis]} ${p.score}`))].sort()
      expect(paretoFront(points, axis).map(p => `${p[axis]} ${p.score}`).sort()).toEqual(expected)
    }
  })
})

describe('the picture and the page of a search', () => {
  it('show every candidate, the front, and the one made by hand', async () => {
    const found = await run({ generations: 3 })
    const svg = paretoPicture(found.scored, { title: 'a < b', hand: { params: 1, macs: 100, score: 0.2 } })
    expect(svg.match(/<circle/g)!.length).toBe(found.scored.length + found.front.length)
    expect(svg).toContain('a &lt; b')
    expect(svg).toContain('made by hand')
    expect(svg).not.toMatch(/NaN|Infinity|undefined/)
    const page = searchReport({ title: 'found', facts: [['data', 'none']], result: found })
    expect(page.match(/<tr>/g)!.length).toBe(1 + found.front.length)
  })

  it('are drawn of nothing, and of one candidate alone', async () => {
    const one = (await run({ generations: 1, population: 1 })).scored
    for (const scored of [[], one]) expect(paretoPicture(scored)).not.toMatch(/NaN|Infinity|undefined/)
  })
})
