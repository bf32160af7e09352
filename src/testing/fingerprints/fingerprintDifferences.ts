import { problem, type Problem } from '../../shape/problem.js'
import type { Fingerprint } from './fingerprint.js'

/** Beyond this two numbers differ: absolutely, or relative to the larger of those compared where that exceeds 1. */
const tolerance = 1e-6

/**
 * How a recipe differs from what was recorded of it; nothing where it does not. Errors: `publishedConfigDiffers` (its
 * options are others), `publishedNamesDiffer` (names, shapes or numbers of its weights are), `publishedOutputDiffers` (it
 * computes something else, and `path` is the first layer whose output is not as recorded).
 *
 * @example
 * fingerprintDifferences({ config: {}, tensors: 1, parameters: 4, names: '0', reduced: {}, output: [1], layers: [] }, { config: {}, tensors: 1, parameters: 4, names: '0', reduced: {}, output: [1], layers: [] }) // []
 */
export const fingerprintDifferences = (now: Fingerprint, recorded: Fingerprint): readonly Problem[] => {
  const found: Problem[] = []
  const [ours, theirs] = [JSON.stringify(now.config), JSON.stringify(recorded.config)]
  if (ours !== theirs) found.push(problem('publishedConfigDiffers', 'the recipe does not have the options it was published with', { expected: theirs, actual: ours }))
  const counts = ({ tensors, parameters, names }: Fingerprint): string => `${tensors} weights of ${parameters} elements, names and shapes ${names}`
  if (counts(now) !== counts(recorded)) found.push(problem('publishedNamesDiffer', 'the recipe does not have the weights it was published with', { expected: counts(recorded), actual: counts(now), remedy: '`vitrail summary ID --json` lists names and shapes' }))
  const first = firstLayer(now, recorded)
  if (first !== undefined || !near(now.output, recorded.output))
    found.push(problem('publishedOutputDiffers', 'the recipe does not compute what it did when its recordings were checked', { path: first?.path ?? '', ...(first === undefined ? {} : { expected: first.expected, actual: first.actual }) }))
  return found
}

const near = (a: readonly number[], b: readonly number[]): boolean => {
  const largest = [...a, ...b].reduce((most, value) => Math.max(most, Math.abs(value)), 1)
  return a.length === b.length && a.every((value, i) => Math.abs(value - b[i]!) <= tolerance * largest)
}

/** The first layer that gives something else than recorded, is missing or is new. */
const firstLayer = (now: Fingerprint, recorded: Fingerprint): { readonly path: string; readonly expected: string; readonly actual: string } | undefined => {
  const tell = (digest: readonly [string, number, number] | undefined): string => (digest === undefined ? 'no such layer' : `mean ${digest[1]}, root mean square ${digest[2]}`)
  const ours = new Map(now.layers.map(digest => [digest[0], digest]))
  for (const theirs of recorded.layers) {
    const own = ours.get(theirs[0])
    if (own === undefined || !near(own.slice(1) as number[], theirs.slice(1) as number[])) return { path: theirs[0], expected: tell(theirs), actual: tell(own) }
  }
  const known = new Set(recorded.layers.map(([path]) => path))
  const added = now.layers.find(([path]) => !known.has(path))
  return added === undefined ? undefined : { path: added[0], expected: tell(undefined), actual: tell(added) }
}
