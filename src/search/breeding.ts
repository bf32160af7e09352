import type { AnyModel } from '../layers/core/model.js'
import { problem, type Problem } from '../shape/problem.js'
import { random, type Random } from '../training/random.js'
import { isWithin, type Budget } from './budget.js'
import type { Candidate, Scored } from './candidate.js'
import { priceOf, type Price } from './priceOf.js'
import type { Space } from './space.js'

/** How often something new is drawn, for each candidate that is wanted, before fewer are taken. */
const patience = 200

/** How offspring comes about. */
interface Habits {
  readonly seed: number
  readonly mutationRate: number
  readonly parents: number
}

/** The candidates of a search, generation by generation: each is new, and within the budget. It lives and dies inside `search`. */
export class Breeding<P, M> {
  private readonly seen = new Set<string>()
  private cheapest: (Price & { readonly key: string }) | undefined
  private fault: Problem | undefined
  /** What was drawn and is no candidate. */
  rejected = 0

  constructor(private readonly space: Space<P, M>, private readonly budget: Budget, private readonly habits: Habits) {}

  /** What a person would begin with, and random choices. */
  first(count: number, start: readonly P[]): readonly Candidate<P>[] {
    const given = start.flatMap(picked => this.candidate(picked) ?? [])
    return [...given, ...this.draw(count - given.length, 'random', 0, r => this.space.sample(r))]
  }

  /** Half crossed, half mutated from the best so far; random ones where there are not enough of these. */
  next(count: number, generation: number, scored: readonly Scored<P>[]): readonly Candidate<P>[] {
    // Sorting is stable: of equal scores those that came first.
    const best = [...scored].sort((a, b) => b.score - a.score).slice(0, this.habits.parents)
    const parent = (r: Random): P => best[r.below(best.length)]!.picked
    const crossed = this.draw(Math.floor(count / 2), 'cross', generation, r => this.space.cross(parent(r), parent(r), r))
    const mutated = this.draw(count - crossed.length, 'mutate', generation, r => this.space.mutate(parent(r), r, this.habits.mutationRate))
    return [...crossed, ...mutated, ...this.draw(count - crossed.length - mutated.length, 'random', generation, r => this.space.sample(r))]
  }

  /** Why there is no candidate at all. */
  nothing(): Problem {
    if (this.cheapest === undefined) return problem('noneWithinBudget', `search: no choice of the space makes a model${this.fault === undefined ? '' : `: ${this.fault.sentence}`}`, { path: this.fault?.path ?? '' })
    const { key, params, macs } = this.cheapest
    return problem('noneWithinBudget', `search: none of ${this.rejected} choices is within the budget ${JSON.stringify(this.budget)}; the cheapest has ${params} parameters and ${macs} multiply-adds`, { remedy: `widen the budget or the space; the cheapest was ${key}` })
  }

  private draw(count: number, stream: string, generation: number, pick: (random: Random) => P): readonly Candidate<P>[] {
    const found: Candidate<P>[] = []
    for (let attempt = 0; found.length < count && attempt < count * patience; attempt++) {
      const candidate = this.candidate(pick(random(this.habits.seed, `search.${stream}`, generation, attempt)))
      if (candidate !== undefined) found.push(candidate)
    }
    return found
  }

  /** A choice that was not drawn before, with its model and price, if it is one to score. */
  private candidate(picked: P): Candidate<P> | undefined {
    const key = this.space.keyOf(picked)
    if (this.seen.has(key)) return undefined
    this.seen.add(key)
    const model = this.space.model(picked) as AnyModel
    const price = priceOf(model)
    if (price._tag === 'Right' && isWithin(price.right, this.budget)) return { picked, key, model, ...price.right }
    this.rejected++
    if (price._tag === 'Left') this.fault ??= price.left
    else if (price.right.macs < (this.cheapest?.macs ?? Infinity)) this.cheapest = { key, ...price.right }
    return undefined
  }
}
