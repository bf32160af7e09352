import type { LayerSummary } from './layerRows.js'

/** Several layers in one row. */
export interface CondensedRow extends LayerSummary {
  /** How many repetitions it stands for. */
  readonly times: number
}

/**
 * Layers with repetitions folded into one row each: `blocks.0.norm1`, `blocks.0.attn`, …, `blocks.11` become
 * `blocks`, with the sums of their numbers and the last one's output.
 */
export const condensed = (rows: readonly LayerSummary[]): readonly CondensedRow[] => {
  const groups: { readonly key: string; readonly rows: LayerSummary[] }[] = []
  for (const row of rows) {
    const key = /^(.*?)\.\d+(\.|$)/.exec(row.path)?.[1]
    const last = groups.at(-1)
    if (key !== undefined && last?.key === key) last.rows.push(row)
    else groups.push({ key: key ?? '', rows: [row] })
  }
  return groups.map(({ key, rows: members }) => {
    const [first] = members
    const times = key === '' ? 1 : new Set(members.map(({ path }) => /\.(\d+)/.exec(path.slice(key.length))?.[1])).size
    const sum = (of: (row: LayerSummary) => number): number => members.reduce((total, row) => total + of(row), 0)
    return { path: key === '' ? first!.path : key, layer: first!.layer, output: members.at(-1)!.output, params: sum(({ params }) => params), macs: sum(({ macs }) => macs), times }
  })
}
