import { add, concat, constant, reshape } from '../ops/ops.js'
import type { Initialiser } from '../ops/initialiser.js'
import type { Tensor } from '../ops/tensor.js'
import { problem, type Problem } from '../shape/problem.js'
import { type Shape, type Show, show } from '../shape/shape.js'
import { type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import { defineLayer, type Layer, type ParameterDeclaration } from './core/layer.js'
import { firstOf, grids, oneOf, sizes } from './core/preconditions.js'
import { gridPositions, sequencePositions } from './core/sinCos.js'

/**
 * - `learned`: a table of one row a token (Dosovitskiy et al., 2020); on a feature map, one a place.
 * - `learned2d`: a table of half the channels for rows and one for columns, joined (the same, appendix D.4).
 * - `sinCos2d`: fixed, half the channels for the column and half for the row (He et al., 2021).
 * - `sinCos`: fixed, along the sequence (Vaswani et al., 2017, section 3.5).
 * - `none`: nothing is added.
 */
export type PositionKind = 'learned' | 'learned2d' | 'sinCos2d' | 'sinCos' | 'none'

/** Options of {@link positionEmbed}. */
export interface PositionEmbedConfig<N extends number> {
  readonly kind?: PositionKind
  /** Rows and columns of the patch grid; needed for 2-D kinds on tokens whose patches are no square. */
  readonly grid?: readonly [number, number]
  /** The number of tokens it is made for; refused by the compiler where another number arrives. */
  readonly numTokens?: N
  /** The name of a frozen weight that holds a fixed table (`sinCos2d`, `sinCos`), as some checkpoints do; else it is computed. */
  readonly stored?: string
  /** The name of a learned table without an axis of one in front, `[tokens, dim]`: `positional_embedding` in CLIP's checkpoints. */
  readonly table?: string
}

/** The shape function of {@link positionEmbed}. */
export interface PositionEmbed<N extends number> extends ShapeFunction {
  readonly out: this['in'] extends readonly [infer T extends number, infer C extends number]
    ? number extends N | T ? this['in'] : N extends T ? this['in'] : TokensDiffer<N, T, C>
    : this['in'] extends readonly [number, number, number] ? this['in']
    : Expects<'expectsTokens', 'positionEmbed', this['in']>
}

type TokensDiffer<N extends number, T extends number, C extends number> = Misfit<'tokensDiffer', { expected: N; tokens: T; shape: Show<readonly [T, C]> }, 'positionEmbed'>

/**
 * Adds positions to tokens or to a feature map. `[tokens, dim] → [tokens, dim]`,
 * `[height, width, dim] → [height, width, dim]`. For 2-D kinds on tokens, those before the patch grid
 * (a class token, registers) get none.
 *
 * Parameters: `learned`: `pos_embed [1, tokens, dim]`, on a feature map `[1, height, width, dim]`;
 * `learned2d`: `pos_embed_rows [1, rows, dim/2]` and `pos_embed_columns [1, columns, dim/2]`; a table that is
 * `stored`: frozen, under that name, `[1, tokens, dim]`; a `table`, under
 * its name: `positional_embedding [tokens, dim]`. Errors: `expectsTokens`, `tokensDiffer`, `gridMisfit`, `gridUnknown` (2-D kinds on tokens that are no square
 * grid, without `grid`), `positionsDoNotSplit`, `notStored`, `notATable`, `notAGrid`, `notASize`, `unknownOption`.
 *
 * @example
 * pipe(input(197, 192), positionEmbed()) // Model<[197, 192], [197, 192]>
 */
export const positionEmbed = <const N extends number = number>(config: PositionEmbedConfig<N> = {}): Layer<PositionEmbed<N>> => {
  const { kind = 'learned', grid, numTokens, stored, table: plain } = config
  return defineLayer('positionEmbed', positionEmbed, [config], {
    config: { kind, grid, numTokens, stored, table: plain },
    check: shape =>
      firstOf(
        () => oneOf('positionEmbed', 'kind', kind, ['learned', 'learned2d', 'sinCos2d', 'sinCos', 'none']),
        () => (grid === undefined ? undefined : grids('positionEmbed', { grid })),
        () => sizes('positionEmbed', grid === undefined ? {} : { 'grid height': grid[0], 'grid width': grid[1] }),
        () => (shape.length === 2 || shape.length === 3 ? undefined : misfit('expectsTokens', { layer: 'positionEmbed', shape: show(shape) })),
        () => (shape.length === 2 && numTokens !== undefined && numTokens !== shape[0] ? misfit('tokensDiffer', { expected: numTokens, tokens: shape[0] as number, shape: show(shape) }) : undefined),
        () => (stored === undefined || (/^\w+$/.test(stored) && (kind === 'sinCos2d' || kind === 'sinCos')) ? undefined : problem('notStored', `positionEmbed: only sinCos2d and sinCos positions can be stored, under a name of letters, digits and underscores; got ${kind} and '${stored}'`)),
        () => (plain === undefined || (/^\w+$/.test(plain) && kind === 'learned' && stored === undefined) ? undefined : problem('notATable', `positionEmbed: only learned positions can be a plain table, under a name of letters, digits and underscores; got ${kind} and '${plain}'`)),
        () => splits(kind, shape),
        () => (kind === 'learned2d' || kind === 'sinCos2d' ? gridFits(shape, grid) : undefined),
      ),
    parameters: shape => (plain !== undefined ? { [plain]: { shape, initialiser } } : stored === undefined ? parametersOf(kind, shape, grid) : { [stored]: { shape: [1, ...shape], initialiser: tableInitialiser(kind, shape, grid), role: 'frozen' } }),
    traits: { reach: 'element', ...(kind === 'none' ? {} : { order: 'positional' }) },
    forward: (x, { parameters }) => {
      const table = plain !== undefined ? parameters[plain]! : stored === undefined ? tableOf(kind, x.shape, grid, parameters as Readonly<Record<string, Tensor>>) : reshape(parameters[stored]!, x.shape)
      return table === undefined ? x : add(x, table)
    },
  })
}

/** What generators may give {@link positionEmbed}. */
export const positionEmbedArguments: Arguments = [choice.options({}, { kind: choice.among('learned', 'learned2d', 'sinCos2d', 'sinCos', 'none'), grid: choice.either(choice.factorsOf('tokens'), choice.pair(choice.axis('height'), choice.axis('width'))), numTokens: choice.axis('tokens'), stored: choice.among('pos_embed', 'table'), table: choice.among('positional_embedding') })]

const initialiser = { kind: 'truncatedNormal', std: 0.02 } as const

/** The patch grid of a signal, and how many tokens stand before it. */
const gridOf = (shape: Shape, grid: readonly [number, number] | undefined): readonly [number, number, number] => {
  if (shape.length === 3) return [shape[0] as number, shape[1] as number, 0]
  const count = shape[0] as number
  const side = Math.floor(Math.sqrt(count))
  const [rows, columns] = grid ?? [side, side]
  return [rows, columns, count - rows * columns]
}

const splits = (kind: PositionKind, shape: Shape): Problem | undefined => {
  const parts = kind === 'sinCos2d' ? 4 : kind === 'sinCos' || kind === 'learned2d' ? 2 : 1
  const dim = shape.at(-1) as number
  return dim % parts === 0 ? undefined : misfit('positionsDoNotSplit', { channels: dim, parts, kind, shape: show(shape) })
}

const gridFits = (shape: Shape, grid: readonly [number, number] | undefined): Problem | undefined => {
  const [height, width, prefix] = gridOf(shape, grid)
  if (grid !== undefined && shape.length === 3 && (grid[0] !== height || grid[1] !== width)) return misfit('gridMisfit', { height: grid[0], width: grid[1], tokens: height * width, shape: show(shape) })
  if (prefix < 0) return misfit('gridMisfit', { height, width, tokens: shape[0] as number, shape: show(shape) })
  return grid === undefined && shape.length === 2 && prefix > 8
    ? problem('gridUnknown', `positionEmbed: ${shape[0]} tokens are not a square grid after a few others (${show(shape)})`, { remedy: 'say which: positionEmbed({ grid: [rows, columns] })' })
    : undefined
}

const parametersOf = (kind: PositionKind, shape: Shape, grid: readonly [number, number] | undefined): Readonly<Record<string, ParameterDeclaration>> => {
  const dim = shape.at(-1) as number
  if (kind === 'learned') return { pos_embed: { shape: [1, ...shape], initialiser } }
  if (kind !== 'learned2d') return {}
  const [rows, columns] = gridOf(shape, grid)
  return { pos_embed_rows: { shape: [1, rows, dim / 2], initialiser }, pos_embed_columns: { shape: [1, columns, dim / 2], initialiser } }
}

const tableInitialiser = (kind: PositionKind, shape: Shape, grid: readonly [number, number] | undefined): Initialiser => {
  if (kind === 'sinCos') return { kind }
  const [rows, columns] = gridOf(shape, grid)
  return { kind: 'sinCos2d', rows, columns }
}

const tableOf = (kind: PositionKind, shape: Shape, grid: readonly [number, number] | undefined, parameters: Readonly<Record<string, Tensor>>): Tensor | undefined => {
  if (kind === 'none') return undefined
  if (kind === 'learned') return reshape(parameters['pos_embed']!, shape)
  const dim = shape.at(-1) as number
  if (kind === 'sinCos') return reshape(constant(sequencePositions(shape.slice(0, -1).reduce((n, size) => n * size, 1), dim), [shape.slice(0, -1).reduce((n, size) => n * size, 1), dim]), shape)
  const [rows, columns, prefix] = gridOf(shape, grid)
  const patches = kind === 'sinCos2d' ? constant(gridPositions(rows, columns, dim), [rows * columns, dim]) : reshape(rowsAndColumns(parameters, rows, columns, dim), [rows * columns, dim])
  const table = prefix === 0 ? patches : concat([constant(new Float32Array(prefix * dim), [prefix, dim]), patches], 0)
  return reshape(table, shape)
}

const rowsAndColumns = (parameters: Readonly<Record<string, Tensor>>, rows: number, columns: number, dim: number): Tensor => {
  const zeros = constant(new Float32Array(rows * columns * (dim / 2)), [rows, columns, dim / 2])
  return concat([add(reshape(parameters['pos_embed_rows']!, [rows, 1, dim / 2]), zeros), add(reshape(parameters['pos_embed_columns']!, [1, columns, dim / 2]), zeros)], 2)
}
