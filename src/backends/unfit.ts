import type { Tensor } from '../ops/tensor.js'
import { problem, type Problem } from '../shape/problem.js'
import type { Values } from './device.js'

/** What is wrong with the values fed for a batch, beyond their shapes; backends would not notice. */
export const unfit = (nodes: readonly Tensor[], given: ReadonlyMap<Tensor, Values>, batch: number): Problem | undefined => {
  for (const node of nodes) {
    const wrong = batchMisfit(node, batch) ?? outOfRange(node, given)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

/** Another number of samples than the graph was built for: where samples are an axis, their number is part of its shapes. */
const batchMisfit = (node: Tensor, batch: number): Problem | undefined => {
  const samples = node.op === 'batchToAxis' ? node.shape[0] : node.op === 'axisToBatch' ? node.inputs[0]!.shape[0] : batch
  return samples === batch ? undefined : problem('inputMisfit', `run: got a batch of ${batch}, but this graph compares ${samples} samples with each other`, { expected: String(samples), actual: String(batch), remedy: `give batches of ${samples}, or build it for ${batch} samples` })
}

/** A row number that a table does not have. */
const outOfRange = (node: Tensor, given: ReadonlyMap<Tensor, Values>): Problem | undefined => {
  if (node.op !== 'gather') return undefined
  const [table, indices] = node.inputs as readonly [Tensor, Tensor]
  const rows = table.shape[0] as number
  const wrong = given.get(sourceOf(indices))?.find(row => row < 0 || row >= rows)
  return wrong === undefined ? undefined : problem('inputMisfit', `input: ${wrong} is no row of a table of ${rows}`)
}

/** What a node's numbers are taken from, moved about but unchanged. */
const sourceOf = (n: Tensor): Tensor => (n.op === 'reshape' || n.op === 'transpose' || n.op === 'slice' ? sourceOf(n.inputs[0]!) : n)
