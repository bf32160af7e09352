import type { Place } from '../../graph/tree/places.js'

/**
 * Which block each of some places is in, counted over all stages: a block is where a path has its last number, so that
 * `layers.0.blocks.3.drop_path1` and `layers.0.blocks.3.norm1` are in the same one.
 */
export const blocksOf = (all: readonly Place[]): { readonly count: number; readonly of: (place: Place) => number } => {
  const blocks = [...new Set(all.map(({ path }) => blockOf(path)))]
  return { count: blocks.length, of: ({ path }) => blocks.indexOf(blockOf(path)) }
}

const blockOf = (path: string): string => {
  const parts = path.split('.')
  const last = parts.findLastIndex(part => /^\d+$/.test(part))
  return last < 0 ? path : parts.slice(0, last + 1).join('.')
}
