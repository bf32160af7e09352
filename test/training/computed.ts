import type { Backend, Values } from '../../src/backends/device.js'
import { openSession } from '../../src/backends/openSession.js'
import type { Tensor } from '../../src/ops/tensor.js'
import { valueOf } from '../support/either.js'

/** The values of some tensors on a backend, from those of inputs (whole batches) and parameters. */
export const computed = async (backend: Backend, outputs: readonly Tensor[], given: readonly (readonly [Tensor, readonly number[]])[]): Promise<readonly Float32Array[]> => {
  const nameOf = (node: Tensor): string => (node as Tensor<'input' | 'parameter'>).attributes.name
  const typed = (node: Tensor, values: readonly number[]): Values => (node.dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values))
  const inputs = given.filter(([node]) => node.op === 'input')
  const weights = new Map(given.filter(([node]) => node.op === 'parameter').map(([node, values]) => [nameOf(node), Float32Array.from(values)]))
  const routine = { inputs: Object.fromEntries(inputs.map(([node]) => [nameOf(node), node])), outputs: Object.fromEntries(outputs.map((node, i) => [i, node])) }
  const session = valueOf(await openSession({ routine }, { backend, weights })())
  const ran = valueOf(await session.run('routine', Object.fromEntries(inputs.map(([node, values]) => [nameOf(node), typed(node, values)])))())
  session.dispose()
  return outputs.map((_, i) => ran[i] as Float32Array)
}
