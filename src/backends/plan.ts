import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { Graph } from '../graph/graph.js'
import { isLeaf, type Signal, type Tensor } from '../ops/tensor.js'
import { isFused } from '../ops/unfused.js'
import { problem, type Problem } from '../shape/problem.js'
import { composed } from './composed.js'
import type { Device, Kernel } from './device.js'

/** One step of a plan: a node, its kernel, and what is used for the last time. */
export interface Step<B> {
  readonly node: Tensor
  readonly kernel: Kernel<B>
  readonly frees: readonly Tensor[]
}

/** Everything that happens at each run of one batch size, in order. */
export interface Plan<B> {
  readonly batch: number
  readonly steps: readonly Step<B>[]
}

/**
 * Chooses a kernel for every node and finds each buffer's last use. Errors: `missingKernels`, with the whole
 * list, before anything runs.
 */
export const plan = <B>(device: Device<B>, nodes: readonly Tensor[], kept: ReadonlySet<Tensor>, batch: number): Either<Problem, Plan<B>> => {
  const missing = new Map<string, string[]>()
  const last = new Map<Tensor, number>()
  nodes.forEach((n, at) => {
    last.set(n, at)
    for (const x of n.inputs) last.set(x, at)
  })
  const steps: Step<B>[] = []
  nodes.forEach((node, at) => {
    const frees = [...new Set([...node.inputs, node])].filter(x => last.get(x) === at && !kept.has(x))
    if (isLeaf(node)) {
      steps.push({ node, kernel: { run: ([x]) => x as B }, frees })
      return
    }
    const whole = device.kernel(node, batch)
    const kernel = whole._tag === 'Left' && isFused(node) ? composed(device, node, batch) : whole
    if (kernel._tag === 'Left') missing.set(node.op, [...new Set([...(missing.get(node.op) ?? []), ...kernel.left])])
    else steps.push({ node, kernel: kernel.right, frees })
  })
  if (missing.size === 0) return right({ batch, steps })
  const list = [...missing].map(([op, kernels]) => `${op} (${kernels.join(', ')})`).join('; ')
  return left(problem('missingKernels', `${device.name}: this backend lacks kernels this model needs: ${list}`, { actual: list, remedy: 'choose another backend; `vitrail backends` lists those that work here' }))
}

/** The graph's own output and the features asked for, or the names that are not among its features. */
export const requested = (graph: Graph, features: readonly string[]): Either<Problem, readonly Signal[]> => {
  const unknown = features.filter(name => !graph.features.has(name))
  return unknown.length === 0
    ? right([graph.output, ...features.map(name => graph.features.get(name) as Signal)])
    : left(problem('noSuchFeature', `compile: there is no layer or tap called ${unknown.map(name => `'${name}'`).join(', ')}`, { remedy: `there are: ${[...graph.features.keys()].slice(0, 24).join(', ')}${graph.features.size > 24 ? ', …' : ''}` }))
}
