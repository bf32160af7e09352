import { of } from 'fp-ts/lib/TaskEither.js'
import { resizePositions, type PositionResize } from '../../../weights/resizePositions.js'
import { Misread, type Recorded } from './recorded.js'
import type { Check, Trick } from './trick.js'

/** Position tables resized to other grids, in the ways of timm, of DeiT and MAE, of DINO; and Swin's tables of relative positions. */
export const positionResize: Trick = {
  fields: ['cases'],
  replay: recorded => {
    const checks: Record<string, Check> = {}
    for (const key of recorded.keys.filter(name => name !== 'cases' && !name.endsWith('.in'))) {
      const options = optionsOf(recorded, key)
      // One resized in a way that is not known here stays unread, and is told of.
      if (options !== undefined) checks[key] = { ours: resized(recorded, key, options), recorded: recorded.tensor(key).data, near: 'single' }
    }
    return of({ checks })
  },
}

/** `case0.bicubic_align_true` is of `case0`. */
const caseOf = (key: string): string => key.slice(0, key.indexOf('.'))

const resized = (recorded: Recorded, key: string, options: Omit<PositionResize, 'dim'>): Float32Array => {
  const { shape, data } = recorded.tensor(`${caseOf(key)}.in`)
  const made = resizePositions(Float32Array.from(data), { ...options, dim: shape.at(-1)! })
  if (made._tag === 'Left') throw new Misread(`${key}: ${made.left.sentence}`)
  return made.right
}

/** How a table was resized: its grids by its case, or by `13to23` in its own name, the rest by words in it. */
const optionsOf = (recorded: Recorded, key: string): Omit<PositionResize, 'dim'> | undefined => {
  const [name, way] = [caseOf(key), key.slice(key.indexOf('.') + 1)]
  if (!recorded.has(`${name}.in`) || !/^((\d+to\d+|antialias_(true|false)|bicubic|bilinear|align(_corners)?_(true|false)|scale_factor|plus[\d.]+)(_|$))+$/i.test(way)) return undefined
  const offset = /plus([\d.]+)/.exec(way)?.[1]
  const how = { kind: way.includes('bilinear') ? 'bilinear' : 'bicubic', antialias: /antialias_true/i.test(way), alignCorners: /align(_corners)?_true/i.test(way), ...(offset === undefined ? {} : { scaleOffset: Number(offset) }) } as const
  const [, from, to] = /(\d+)to(\d+)/.exec(way) ?? []
  if (from !== undefined && to !== undefined) return { ...how, from: [Number(from), Number(from)], to: [Number(to), Number(to)], prefixTokens: 0 }
  const cases = recorded.object('cases')
  if (!cases.has(name)) return undefined
  const { old, now, prefixTokens } = { old: cases.object(name).numbers('old'), now: cases.object(name).numbers('new'), prefixTokens: cases.object(name).numberOr('prefix', 0) }
  return { ...how, from: [old[0]!, old.at(-1)!], to: [now[0]!, now.at(-1)!], prefixTokens }
}
