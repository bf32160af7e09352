import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../shape/problem.js'
import { checkBudget, type Budget } from './budget.js'
import { Breeding } from './breeding.js'
import type { Candidate, Scored } from './candidate.js'
import { checkSpace } from './checkSpace.js'
import { paretoFront } from './paretoFront.js'
import type { Price } from './priceOf.js'
import type { AnyPicked, Space } from './space.js'

/** How good a candidate is: the more the better, such as the share of held-out images that it gets right. */
export type Score<P> = (candidate: Candidate<P>) => TaskEither<Problem, number>

/** What a search tells as it goes. */
export type SearchEvent<P> =
  /** A candidate has been scored, the `done`-th of at most `total`. */
  | { readonly kind: 'scored'; readonly scored: Scored<P>; readonly best: Scored<P>; readonly done: number; readonly total: number }
  /** A generation is over. */
  | { readonly kind: 'generation'; readonly generation: number; readonly best: Scored<P>; readonly front: readonly Scored<P>[] }

/** Options of {@link search}; the defaults are those of AutoFormer's `evolution.py`. */
export interface SearchOptions<P> {
  /** Candidates of a generation (default 50). */
  readonly population?: number
  /** Generations, the first included (default 20). */
  readonly generations?: number
  /** How many of the best so far have offspring (default 10). */
  readonly parents?: number
  /** How likely each value of a parent is drawn again in a mutation (default 0.2). */
  readonly mutationRate?: number
  /** All chance follows from it (default 0). */
  readonly seed?: number
  /** Choices to begin with, beside random ones: one made by hand, say. */
  readonly start?: readonly P[]
  /** What the front weighs scores against (default `macs`). */
  readonly axis?: keyof Price
  /** Scores of before, by key: what is in it is not scored again. */
  readonly known?: ReadonlyMap<string, number>
  /** Told as it goes. */
  readonly onEvent?: (event: SearchEvent<P>) => void
  /** Stops it after the candidate that is being scored. */
  readonly signal?: AbortSignal
}

/** What a search came to. */
export interface SearchResult<P> {
  readonly best: Scored<P>
  /** Those than which nothing is cheaper and as good, the cheapest first. */
  readonly front: readonly Scored<P>[]
  /** All, in the order in which they were scored. */
  readonly scored: readonly Scored<P>[]
  /** `exhausted`: no new candidate was found within the budget. */
  readonly reason: 'finished' | 'exhausted' | 'aborted'
  /** Choices that were drawn and cost too much or too little, or make no model. */
  readonly rejected: number
}

/**
 * Searches a space for the model with the highest score within a budget, by evolution (Real et al., 2019; Chen et al.,
 * 2021, "AutoFormer", section 3.3): a random population; then, generation by generation, half of the new candidates are
 * crossed from two of the best so far, half are mutated from one, and where these find nothing new, random ones fill up.
 *
 * What a candidate costs is read off its graph, so that nothing is run to reject one. No candidate is scored twice. The
 * same space, scores, budget and seed give the same search. Errors: `badSpace`, `badBudget`, `badOption`;
 * `noneWithinBudget`, with the nearest that was drawn; `badScore` (a score that is no number); those of the score.
 *
 * @example
 * const found = await search(defineSpace({ dim: [2, 3, 4] }, ({ dim }) => pipe(input(4), linear(dim))), ({ params }) => async () => right(params), { params: 16 }, { population: 2, generations: 3 })() // Either<Problem, SearchResult>
 */
export const search = <P, M>(space: Space<P, M>, score: Score<NoInfer<P>>, budget: Budget = {}, options: SearchOptions<NoInfer<P>> = {}): TaskEither<Problem, SearchResult<P>> => async () => {
  const { population = 50, generations = 20, parents = 10, mutationRate = 0.2, seed = 0, start = [], axis = 'macs', known = new Map<string, number>(), onEvent, signal } = options
  const wrong = [checkSpace(space as unknown as Space<AnyPicked, M>), checkBudget(budget), checkOptions({ population, generations, parents }, mutationRate)].find(check => check._tag === 'Left')
  if (wrong !== undefined) return wrong as Either<Problem, never>
  const breeding = new Breeding(space, budget, { seed, mutationRate, parents })
  const scored: Scored<P>[] = []
  const best = (): Scored<P> => scored.reduce((most, one) => (one.score > most.score ? one : most))
  const ended = (reason: SearchResult<P>['reason']): Either<Problem, SearchResult<P>> =>
    scored.length === 0 ? left(breeding.nothing()) : right({ best: best(), front: paretoFront(scored, axis), scored, reason, rejected: breeding.rejected })
  for (let generation = 0; generation < generations; generation++) {
    const candidates = generation === 0 ? breeding.first(population, start) : breeding.next(population, generation, scored)
    if (candidates.length === 0) return ended('exhausted')
    for (const candidate of candidates) {
      if (signal?.aborted === true) return scored.length === 0 ? left(problem('aborted', 'search: aborted by its signal')) : ended('aborted')
      const given = known.has(candidate.key) ? right<Problem, number>(known.get(candidate.key)!) : await score(candidate)()
      if (given._tag === 'Left') return given
      if (!Number.isFinite(given.right)) return left(problem('badScore', `search: the score of ${candidate.key} is ${given.right}, which is no number`, { path: candidate.key }))
      const one = { ...candidate, score: given.right, generation }
      scored.push(one)
      // Where scores are computed without a pause, nothing else would have its turn: a signal, a file that is written.
      await new Promise<void>(resolve => setTimeout(resolve, 0))
      onEvent?.({ kind: 'scored', scored: one, best: best(), done: scored.length, total: population * generations })
    }
    onEvent?.({ kind: 'generation', generation, best: best(), front: paretoFront(scored, axis) })
  }
  return ended('finished')
}

const checkOptions = (counts: Readonly<Record<string, number>>, rate: number): Either<Problem, void> => {
  const wrong = Object.entries(counts).find(([, value]) => !(Number.isSafeInteger(value) && value >= 1))
  if (wrong !== undefined) return left(problem('badOption', `search: ${wrong[0]} must be a whole number from 1, got ${wrong[1]}`, { path: wrong[0] }))
  return rate > 0 && rate <= 1 ? right(undefined) : left(problem('badOption', `search: mutationRate must be above 0 and at most 1, got ${rate}`, { path: 'mutationRate' }))
}
