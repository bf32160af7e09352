import type { Problem } from '../../shape/problem.js'
import { pathPattern, unknownPath } from './pathPattern.js'

/** What becomes of running statistics: those of batch norms that are frozen. */
export type Statistics = 'update' | 'keep'

/** Which parameters inside a layer stay as they are. */
export interface Freezing {
  /** Patterns of paths, from the layer's own place; the last one that means a parameter decides, and `!` in front of it says "not". */
  readonly paths: readonly string[]
  readonly statistics: Statistics
}

const isNegated = (pattern: string): boolean => pattern.startsWith('!')
const positive = (pattern: string): string => pattern.replace(/^!/, '')

/** Whether a pattern means a parameter: itself, or something that it is inside of. */
const means = (pattern: string, name: string): boolean => {
  const matches = pathPattern(positive(pattern))
  if (matches._tag === 'Left') return false
  const parts = name.split('.')
  return parts.some((_, i) => matches.right(parts.slice(0, i + 1).join('.')))
}

/**
 * Whether a parameter stays as it is; undefined where nothing is said of it.
 *
 * @example
 * isFrozen({ paths: ['**', '!head'], statistics: 'update' }, 'head.weight') // false
 */
export const isFrozen = ({ paths }: Freezing, name: string): boolean | undefined => {
  const last = paths.findLast(pattern => means(pattern, name))
  return last === undefined ? undefined : !isNegated(last)
}

/** What is wrong with the patterns by themselves. */
export const misspeltPath = ({ paths }: Freezing): Problem | undefined => {
  for (const pattern of paths) {
    const read = pathPattern(positive(String(pattern)))
    if (read._tag === 'Left') return { ...read.left, sentence: `frozen: ${read.left.sentence}` }
  }
  return undefined
}

/** The first pattern that means none of some parameters. `**` may: all that there is can be nothing. */
export const idlePath = ({ paths }: Freezing, names: readonly string[]): Problem | undefined => {
  const idle = paths.find(pattern => positive(pattern) !== '**' && !names.some(name => means(pattern, name)))
  return idle === undefined ? undefined : unknownPath('frozen', positive(idle), names)
}
