import type { AnyModel } from '../../layers/core/model.js'
import { toSource } from '../source/toSource.js'
import { countLayers } from './countLayers.js'
import { scaledDown, shortened } from './scaledDown.js'
import { isolated, smallerModels, traces } from './smallerModels.js'

/** Options of {@link shrinkModel}. */
export interface ShrinkOptions {
  /** How often `fails` is asked, at most (default 400). */
  readonly trials?: number
  /** Seconds after which no further model is tried (default 60). */
  readonly seconds?: number
  /** Told of every smaller model that still fails. */
  readonly progress?: (smaller: AnyModel, trials: number) => void
}

/** The smallest failing model that was found. */
export interface Shrunk {
  readonly model: AnyModel
  /** Its layers, combinators included. */
  readonly layers: number
  /** How often `fails` was asked. */
  readonly trials: number
  /** The model as TypeScript. */
  readonly source: string
}

/**
 * The smallest model found that fails as a given one does. Single layers are tried first, each on a small signal,
 * since most faults are in one; then runs of layers, layers with less in them, fewer options and smaller numbers,
 * over and over until nothing smaller fails.
 *
 * A model that traces is shrunk to models that trace. One that does not is shrunk among all; then the tracing is
 * what fails. A `fails` that throws says no.
 *
 * @param fails whether a model fails in the way that matters; it does so of `model`
 */
export const shrinkModel = async (model: AnyModel, fails: (candidate: AnyModel) => boolean | Promise<boolean>, options: ShrinkOptions = {}): Promise<Shrunk> => {
  const { trials: most = 400, seconds = 60, progress } = options
  const end = Date.now() + seconds * 1000
  const mustTrace = traces(model)
  const seen = new Set([toSource(model)])
  let trials = 0
  const isSpent = (): boolean => trials >= most || Date.now() > end

  const failsToo = async (candidate: AnyModel): Promise<boolean> => {
    const key = toSource(candidate)
    if (seen.has(key) || isSpent()) return false
    seen.add(key)
    if (mustTrace && !traces(candidate)) return false
    trials++
    try {
      if (!(await fails(candidate))) return false
    } catch {
      return false
    }
    progress?.(candidate, trials)
    return true
  }
  const firstFailing = async (candidates: Iterable<AnyModel>): Promise<AnyModel | undefined> => {
    for (const candidate of candidates) {
      if (isSpent()) return undefined
      if (await failsToo(candidate)) return candidate
    }
    return undefined
  }

  let smallest = (await firstFailing(begin(model))) ?? model
  for (let next: AnyModel | undefined = smallest; next !== undefined; next = await firstFailing(smallerModels(smallest))) smallest = next
  return { model: smallest, layers: countLayers(smallest), trials, source: toSource(smallest) }
}

/** Where to begin: one layer on a small signal, or the whole model at a small size. */
function* begin(model: AnyModel): Generator<AnyModel> {
  for (const alone of isolated(shortened(model))) yield scaledDown(alone)
  yield scaledDown(model)
}
