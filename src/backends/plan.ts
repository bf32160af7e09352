import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { isLeaf, mayShareMemory, type Tensor } from '../ops/tensor.js'
import { isFused } from '../ops/unfused.js'
import { problem, type Problem } from '../shape/problem.js'
import { sameShape } from '../shape/shape.js'
import { composed } from './composed.js'
import type { Device, Kernel } from './device.js'

/** One step of a plan: a node, its kernel, and what is used for the last time. */
export interface Step<B> {
  readonly node: Tensor
  readonly kernel: Kernel<B>
  readonly frees: readonly Tensor[]
  /** The input, by its place, whose memory the result may take: it ends here, and nothing else has its memory. */
  readonly spare?: number
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
  const spareOf = spares(new Set(nodes), last, kept)
  nodes.forEach((node, at) => {
    const frees = [...new Set([...node.inputs, node])].filter(x => last.get(x) === at && !kept.has(x))
    if (isLeaf(node)) {
      steps.push({ node, kernel: { run: ([x]) => x as B }, frees })
      return
    }
    const whole = device.kernel(node, batch)
    const kernel = whole._tag === 'Left' && isFused(node) ? composed(device, node, batch) : whole
    if (kernel._tag === 'Left') missing.set(node.op, [...new Set([...(missing.get(node.op) ?? []), ...kernel.left])])
    else {
      const spare = spareOf(node, at, kernel.right.overwrites ?? 0)
      steps.push({ node, kernel: kernel.right, frees, ...(spare === undefined ? {} : { spare }) })
    }
  })
  if (missing.size === 0) return right({ batch, steps })
  const list = [...missing].map(([op, kernels]) => `${op} (${kernels.join(', ')})`).join('; ')
  return left(problem('missingKernels', `${device.name}: this backend lacks kernels this model needs: ${list}`, { actual: list, remedy: 'choose another backend; `vitrail backends` lists those that work here' }))
}

/**
 * Which of its first inputs a node may write its result over, called for each node in order. Nodes that share memory,
 * such as reshapes of one another, are looked at together; what is not made in the run, or outlives it, is never given.
 *
 * Worth, on wasm with one thread: ConViT-Ti holds 1.22 MB of activations instead of 1.53; a training step of ViT-Ti is 1.01
 * times faster, one of six blocks of 64 channels 1.04 times.
 */
const spares = (made: ReadonlySet<Tensor>, last: ReadonlyMap<Tensor, number>, kept: ReadonlySet<Tensor>): ((node: Tensor, at: number, overwrites: number) => number | undefined) => {
  const owners = new Map<Tensor, Tensor>()
  const ownerOf = (node: Tensor): Tensor => owners.get(node) ?? node
  const endOf = (node: Tensor): number => (kept.has(node) ? Infinity : last.get(node)!)
  /** When the last of those that share the memory of an owner is used for the last time. */
  const ends = new Map<Tensor, number>()
  const shares = (node: Tensor, owner: Tensor): void => {
    owners.set(node, owner)
    ends.set(owner, Math.max(ends.get(owner) ?? endOf(owner), endOf(node)))
  }
  return (node, at, overwrites) => {
    if (mayShareMemory(node)) shares(node, ownerOf(node.inputs[0]!))
    const place = node.inputs.findIndex((x, i) => {
      const owner = ownerOf(x)
      const isMade = made.has(owner) && owner.op !== 'parameter' && owner.op !== 'constant'
      return i < overwrites && isMade && sameShape(x.shape, node.shape) && x.batched === node.batched && x.dtype === node.dtype && (ends.get(owner) ?? endOf(owner)) <= at
    })
    if (place === -1) return undefined
    shares(node, ownerOf(node.inputs[place]!))
    return place
  }
}
