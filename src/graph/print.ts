import { collectNodes } from './graph.js'
import { tensorsOf, type Signal, type Tensor } from '../ops/tensor.js'
import { show } from '../shape/shape.js'

/**
 * The stable text form of a graph: one node a line, numbered in order, inputs before users. Two graphs that
 * print alike compute alike.
 *
 * @example
 * print([ops.relu(ops.input('x', [3]))]).split('\n')[1] // '%1 = relu %0 : 3 (batched)'
 */
export const print = (roots: readonly Signal[]): string => {
  const outputs = roots.flatMap(tensorsOf)
  const numbers = new Map<Tensor, number>()
  const lines = collectNodes(outputs).map((node, i) => {
    numbers.set(node, i)
    const inputs = node.inputs.map(x => `%${numbers.get(x)}`).join(', ')
    const details = describe(node)
    return `%${i} = ${node.op}${inputs === '' ? '' : ` ${inputs}`}${details === '' ? '' : ` ${details}`} : ${show(node.shape)}${node.dtype === 'int32' ? ' int32' : ''}${node.batched ? ' (batched)' : ''}`
  })
  return [...lines, `return ${outputs.map(t => `%${numbers.get(t)}`).join(', ')}`].join('\n')
}

const describe = (node: Tensor): string => {
  const { name, data, initialiser: _start, ...rest } = node.attributes as Readonly<Record<string, unknown>>
  const values = data as ArrayLike<number> | undefined
  return [
    ...(name === undefined ? [] : [String(name)]),
    ...(values === undefined ? [] : [values.length <= 4 ? `[${Array.from(values).join(', ')}]` : `${values.length} values`]),
    ...Object.entries(rest).map(([key, value]) => `${key}=${JSON.stringify(value)}`),
  ].join(' ')
}
