import type { Kernels } from './kernels.js'
import { activationCodes } from './native.js'

const BYTES = 4
/** Whole tiles, whether they have four rows or six: `WHOLE_ROWS` of `native/tile.h`. */
const PANEL_ROWS = 12
const PANEL_COLUMNS = 8
/** As many rows of a left-hand factor are packed at one time, so that scratch does not grow with the batch. */
const LEFT_ROWS = 1024
/** What a thread needs beside: `SUMS` of `native/gemm.h`. */
const SUMS = 24 * PANEL_COLUMNS

/** A matrix that lies somewhere, by its strides in elements. */
export interface Matrix {
  readonly at: number
  readonly rowStride: number
  readonly columnStride: number
}

/** out `[m, n]` = activation(left `[m, k]` · right `[k, n]` + bias) + residual; the right-hand factor packed. */
export interface Product {
  readonly m: number
  readonly k: number
  readonly n: number
  readonly right: number
  readonly bias?: number
  readonly activation?: number
  readonly residual?: number
  readonly out: number
  /** Elements from one row of the result to the next; `n` unless given. */
  readonly outStride?: number
  readonly accumulate?: boolean
}

const columnsOf = (n: number): number => Math.ceil(n / PANEL_COLUMNS)
/** Rows in equal parts, each of whole tiles, none much above {@link LEFT_ROWS}. */
const rowsAtATime = (m: number): number => {
  const parts = Math.max(1, Math.ceil(m / LEFT_ROWS))
  return Math.ceil(m / parts / PANEL_ROWS) * PANEL_ROWS
}
/** The units of packing so many rows. */
export const packUnits = (rows: number): number => Math.ceil(rows / PANEL_ROWS)
/** About how long products take, at 20 multiply-adds a nanosecond. */
export const productNanoseconds = (m: number, k: number, n: number): number => (m * k * n) / 20

/** The panels of a right-hand factor, `[ceil(n / 8), k, 8]`. */
export const rightShape = (k: number, n: number): readonly [number, number, number] => [columnsOf(n), k, PANEL_COLUMNS]
/** Their bytes. */
export const rightBytes = (k: number, n: number): number => columnsOf(n) * PANEL_COLUMNS * k * BYTES
/** The scratch that {@link multiply} packs its left-hand factor in. */
export const leftBytes = (m: number, k: number): number => rowsAtATime(m) * k * BYTES
/** The scratch that it needs for each thread. */
export const tileBytes = SUMS * BYTES
/** The most rows that a tile has. */
export const mostTileRows = 6

/** Packs a right-hand factor `[k, n]`. */
export const packRight = (kernels: Kernels, { at, rowStride, columnStride }: Matrix, k: number, n: number, packed: number): void =>
  kernels.run('packRight', columnsOf(n), (k * n) / 2, at, k, n, rowStride, columnStride, packed)

/** Packs the rows of a left-hand factor: `rows` from `first` on, into `left`. */
export type PackLeft = (first: number, rows: number, left: number) => void

/** {@link PackLeft} of a matrix. */
export const packLeft = (kernels: Kernels, { at, rowStride, columnStride }: Matrix, k: number): PackLeft => (first, rows, left) =>
  kernels.run('packLeft', packUnits(rows), (rows * k) / 3, at + first * rowStride * BYTES, rows, k, rowStride, columnStride, left)

/** A product, a part of its rows after the other: packed by all threads, then multiplied by all threads. */
export const multiply = (kernels: Kernels, product: Product, pack: PackLeft, left: number): void => {
  const { m, k, n, right, bias = 0, activation = activationCodes.none, residual = 0, out, outStride = n, accumulate = false } = product
  const part = rowsAtATime(m)
  for (let first = 0; first < m; first += part) {
    const rows = Math.min(part, m - first)
    const below = first * outStride * BYTES
    pack(first, rows, left)
    kernels.run('multiply', kernels.native.multiplyUnits(rows, n), productNanoseconds(rows, k, n), left, rows, k, right, n, bias, activation, residual === 0 ? 0 : residual + below, out + below, outStride, accumulate ? 1 : 0)
  }
}
