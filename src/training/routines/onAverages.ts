import type { Routine } from '../../backends/prepare.js'
import * as ops from '../../ops/ops.js'
import { isOp, type Signal } from '../../ops/tensor.js'
import { rewriting } from '../../passes/pass.js'
import { averageName } from './updateStep.js'

/** A routine that reads the averages of some parameters where the other reads them themselves. */
export const onAverages = ({ inputs, outputs }: Pick<Routine, 'inputs' | 'outputs'>, averaged: ReadonlySet<string>): Routine => {
  const names = Object.keys(outputs)
  const replaced = rewriting(node => (isOp(node, 'parameter') && averaged.has(node.attributes.name) ? ops.parameter(averageName(node.attributes.name), node.shape, { kind: 'zeros' }, 'buffer') : node))(Object.values(outputs))
  return { inputs, outputs: Object.fromEntries(names.map((name, i) => [name, replaced[i] as Signal])) }
}
