import type { SearchEvent } from '../../../search/search.js'
import type { AnyPicked, Space } from '../../../search/space.js'
import type { Price } from '../../../search/priceOf.js'
import { bar as barOf } from '../bar.js'
import { format } from '../format.js'
import type { Terminal } from '../terminal.js'

/** Shows a search as it goes: a bar while someone watches, and a line for each generation. */
export interface SearchFollower {
  readonly tell: (event: SearchEvent<AnyPicked>) => void
  readonly stop: () => void
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`

/** A candidate in a line: `89.12 %, 3.52 M multiply-adds, 60.7 k parameters: {"dim":48,…}`. */
export const candidateLine = ({ score, macs, params, key }: Price & { readonly score: number; readonly key: string }): string => `${percent(score)}, ${format.short(macs)} multiply-adds, ${format.short(params)} parameters: ${key}`

/** What is to be searched, in a few lines. */
export const describeSpace = (space: Space, budget: object): string =>
  [
    `space       ${space.count > 1e6 ? space.count.toExponential(1) : format.count(space.count)} choices of ${Object.keys(space.choices).join(', ')}`,
    `budget      ${Object.keys(budget).length === 0 ? 'none' : Object.entries(budget).map(([which, range]) => `${which === 'macs' ? 'multiply-adds' : 'parameters'} ${Array.isArray(range) ? `${format.short(range[0] as number)} to ${format.short(range[1] as number)}` : `at most ${format.short(range as number)}`}`).join(', ')}`,
  ].join('\n')

/** Follows a search on a terminal. */
export const followSearch = async ({ isWatched, print, colours }: Terminal): Promise<SearchFollower> => {
  const bar = isWatched ? await barOf('scoring {bar} {value}/{total}  best {best}, last {last}') : undefined
  const tell = (event: SearchEvent<AnyPicked>): void => {
    if (event.kind === 'generation') {
      bar?.stop()
      return print(`generation ${event.generation + 1}: ${event.generation === event.best.generation ? colours.green(candidateLine(event.best)) : candidateLine(event.best)}${event.front.length > 1 ? colours.dim(` (${event.front.length} on the front)`) : ''}`)
    }
    const shown = { best: percent(event.best.score), last: percent(event.scored.score) }
    if (bar === undefined) return
    if (bar.isActive) bar.update(event.done, shown)
    else bar.start(event.total, event.done, shown)
  }
  return { tell, stop: () => bar?.stop() }
}
