import type { Tensor } from '../ops/tensor.js'
import { problem, type Problem } from '../shape/problem.js'
import type { Values } from './device.js'

/** A row number that a table does not have; backends would read past the table. */
export const outOfRange = (nodes: readonly Tensor[], given: ReadonlyMap<Tensor, Values>): Problem | undefined => {
  for (const node of nodes) {
    const [table, indices] = node.inputs
    const rows = table?.shape[0] as number
    const values = node.op === 'gather' ? given.get(sourceOf(indices!)) : undefined
    const wrong = values?.find(row => row < 0 || row >= rows)
    if (wrong !== undefined) return problem('inputMisfit', `input: ${wrong} is no row of a table of ${rows}`)
  }
  return undefined
}

/** What a node's numbers are taken from, moved about but unchanged. */
const sourceOf = (n: Tensor): Tensor => (n.op === 'reshape' || n.op === 'transpose' || n.op === 'slice' ? sourceOf(n.inputs[0]!) : n)
