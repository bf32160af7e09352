import { isRenaming, type Tensor } from '../ops/tensor.js'
import { sizeOf } from '../shape/shape.js'
import type { Planned } from './planned.js'
import type { Prepared } from './prepare.js'

/** What a routine holds on the device, in bytes. Scratch inside kernels is not counted. */
export interface PlanBytes {
  /** Parameters and what is computed from them once, for all routines of the session. */
  readonly parameters: number
  /** The most that is held at one time during a run, parameters included. */
  readonly peak: number
}

/**
 * The bytes a plan holds, found by walking through it: every buffer appears, lives and ends where the plan says. A reshape shares its
 * input's buffer, and what is written over an input takes it.
 *
 * @param parameters bytes held before the run begins
 */
export const planBytes = ({ variables }: Pick<Prepared, 'variables'>, { steps, batch, changes }: Planned, parameters: number): PlanBytes => {
  const owner = new Map<Tensor, Tensor>()
  const own = (n: Tensor): Tensor => owner.get(n) ?? n
  const bytes = (n: Tensor): number => 4 * sizeOf(n.shape) * (n.batched ? batch : 1)
  /** For each buffer, the nodes that share it and still live. */
  const holders = new Map<Tensor, number>()
  let [live, peak] = [parameters, parameters]
  const change = (n: Tensor, by: number): void => {
    const count = (holders.get(own(n)) ?? 0) + by
    holders.set(own(n), count)
    if (by > 0 && count === 1) live += bytes(own(n))
    if (by < 0 && count === 0) live -= bytes(own(n))
    peak = Math.max(peak, live)
  }
  const inRun = new Set(steps.map(({ node }) => node).filter(n => !variables.has(n as Tensor<'parameter'>)))
  steps.forEach(({ node, frees, spare }, at) => {
    if (at === changes.from) for (const x of changes.together.ends) change(x, -1)
    for (const { parameter } of changes.before.get(at) ?? []) live -= bytes(parameter)
    if (!inRun.has(node)) return
    const shared = node.inputs[isRenaming(node) ? 0 : (spare ?? -1)]
    if (shared !== undefined && inRun.has(shared)) owner.set(node, own(shared))
    if (!isRenaming(node) || inRun.has(node.inputs[0]!)) change(node, 1)
    for (const x of frees) if (inRun.has(x) && holders.has(own(x))) change(x, -1)
  })
  return { parameters, peak }
}
