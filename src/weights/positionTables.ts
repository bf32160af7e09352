import { right, type Either } from 'fp-ts/lib/Either.js'
import { places, type Place } from '../graph/tree/places.js'
import type { AnyModel } from '../layers/core/model.js'
import type { Problem } from '../shape/problem.js'
import { isShape } from '../shape/shape.js'

/** A learned or stored table with a row for each place of a grid, or for each distance between two places of a window. */
export interface PositionTable {
  /** `absolute`: places of the image. `relative`: distances, `(2·height − 1)×(2·width − 1)` of them. */
  readonly kind: 'absolute' | 'relative'
  readonly grid: readonly [height: number, width: number]
  /** Rows before the grid's: of class token, distillation token and registers. */
  readonly prefixTokens: number
  /** Channels or heads. */
  readonly dim: number
  /** Whether the places come last, `[heads, rows, columns]`, as Google's MaxViT stores them, or first. */
  readonly isTransposed: boolean
}

/**
 * The position tables of a model by the names of their parameters, as its layers say: those of `positionEmbed`,
 * `absolutePositionEmbed`, `windowAttention` and `relativeAttention2d`. They are what changes with the image size.
 *
 * Errors: those of `trace`.
 *
 * @example
 * positionTables(vitTiny).right.get('pos_embed').grid // [14, 14]
 */
export const positionTables = (m: AnyModel): Either<Problem, ReadonlyMap<string, PositionTable>> => {
  const all = places(m)
  if (all._tag === 'Left') return all
  const tables = new Map<string, PositionTable>()
  // The grid that tokens were read from last.
  let map: readonly [number, number] | undefined
  let isText = false
  for (const place of all.right) {
    const { layer, path, input } = place
    const { kind } = layer.definition
    if (kind === 'flattenTokens' || kind === 'embedding') isText = kind === 'embedding'
    // Places in a text are not those of an image, and stay as many as they are.
    if (isText || !isShape(input)) continue
    if (kind === 'flattenTokens') map = [input[0]!, input[1]!]
    for (const [name, table] of tablesOf(place, input, map)) {
      const parameter = path === '' ? name : `${path}.${name}`
      // The parts of a `subnetwork` come after the whole, whose tables they take slices of.
      if (!tables.has(parameter)) tables.set(parameter, table)
    }
  }
  return right(tables)
}

type Named = readonly (readonly [name: string, table: PositionTable])[]

const absolute = (grid: readonly [number, number], dim: number, prefixTokens = 0): PositionTable => ({ kind: 'absolute', grid, prefixTokens, dim, isTransposed: false })
const relative = ([height, width]: readonly [number, number], dim: number, isTransposed = false): PositionTable => ({ kind: 'relative', grid: [2 * height - 1, 2 * width - 1], prefixTokens: 0, dim, isTransposed })

const tablesOf = ({ layer, window }: Place, shape: readonly number[], map: readonly [number, number] | undefined): Named => {
  const { kind, config } = layer.definition
  const dim = shape.at(-1)!
  if (kind === 'absolutePositionEmbed') return [['absolute_pos_embed', absolute([shape[0]!, shape[1]!], dim)]]
  if (kind === 'positionEmbed') {
    const given = config['grid'] as readonly [number, number] | undefined
    const grid = shape.length === 3 ? ([shape[0]!, shape[1]!] as const) : given ?? (map !== undefined && map[0] * map[1] <= shape[0]! ? map : square(shape[0]!))
    const called = (config['table'] ?? config['stored'] ?? (config['kind'] === 'learned' ? 'pos_embed' : undefined)) as string | undefined
    if (called !== undefined) return [[called, absolute(grid, dim, shape.length === 3 ? 0 : shape[0]! - grid[0] * grid[1])]]
    if (config['kind'] === 'learned2d') return [['pos_embed_rows', absolute([grid[0], 1], dim / 2)], ['pos_embed_columns', absolute([1, grid[1]], dim / 2)]]
  }
  if (kind === 'windowAttention') {
    const given = config['windowSize'] as number | readonly [number, number] | undefined
    return [['relative_position_bias_table', relative(window ?? (given === undefined ? square(shape[0]!) : typeof given === 'number' ? [given, given] : given), config['numHeads'] as number)]]
  }
  if (kind === 'relativeAttention2d' && (config['positions'] === 'table' || config['positions'] === 'grid')) {
    const inner = config['expandFirst'] === true ? ((config['dim'] as number | undefined) ?? dim) : dim
    return [['rel_pos.relative_position_bias_table', relative([shape[0]!, shape[1]!], inner / (config['headDim'] as number), config['positions'] === 'grid')]]
  }
  return []
}

const square = (places: number): readonly [number, number] => [Math.floor(Math.sqrt(places)), Math.floor(Math.sqrt(places))]
