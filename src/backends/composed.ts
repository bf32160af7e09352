import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { isOp, type Tensor } from '../ops/tensor.js'
import { partsOf, type FusedKind } from '../ops/unfused.js'
import type { Device, Kernel } from './device.js'
import { Memory } from './memory.js'

/** One op of several, and what is used for the last time. */
interface Part<B> {
  readonly part: Tensor
  readonly kernel: Kernel<B> | undefined
  readonly frees: readonly Tensor[]
}

/**
 * A kernel for a fused op on a device that has none for the whole: its parts, one after the other. A weight that one
 * of them wants in another form is still rewritten but once. On the left what is missing to run the parts.
 */
export const composed = <B>(device: Pick<Device<B>, 'kernel' | 'upload' | 'free'>, node: Tensor<FusedKind>, batch: number): Either<readonly string[], Kernel<B>> => {
  const nodes = partsOf(node)
  const missing: string[] = []
  const last = new Map(nodes.flatMap((part, at) => [part, ...part.inputs].map(x => [x, at] as const)))
  const parts = nodes.map((part, at): Part<B> => {
    const frees = [part, ...part.inputs].filter(x => at < nodes.length - 1 && last.get(x) === at)
    if (isOp(part, 'constant')) return { part, kernel: undefined, frees }
    const kernel = device.kernel(part, batch)
    if (kernel._tag === 'Left') missing.push(...kernel.left)
    return { part, kernel: kernel._tag === 'Left' ? undefined : kernel.right, frees }
  })
  if (missing.length > 0) return left([...new Set(missing)])
  const rewriter = parts.find(({ part, kernel }) => kernel?.adapt !== undefined && isForItAlone(part.inputs[kernel.adapt.input]!, part, node, nodes))
  const run = (inputs: readonly B[], isRewritten: boolean): B => {
    const given = new Memory<B>(device)
    node.inputs.forEach((x, i) => given.set(x, inputs[i] as B))
    const memory = new Memory<B>(device, given)
    try {
      for (const { part, kernel, frees } of parts) {
        if (kernel === undefined) memory.set(part, device.upload((part as Tensor<'constant'>).attributes.data, [1, ...part.shape], part.dtype))
        else memory.run(part, kernel, isRewritten && part === rewriter?.part ? given.need(part.inputs[kernel.adapt!.input]!) : undefined)
        memory.free(frees)
      }
      return memory.take(nodes.at(-1)!) as B
    } finally {
      memory.release()
    }
  }
  if (rewriter === undefined) return right({ run: inputs => run(inputs, false) })
  const { input, ...adapt } = rewriter.kernel!.adapt!
  return right({ adapt: { input: node.inputs.indexOf(rewriter.part.inputs[input]!), ...adapt }, run: inputs => run(inputs, true) })
}

/** Whether an input of a fused op goes to one of its parts and to no other. */
const isForItAlone = (x: Tensor, part: Tensor, { inputs }: Tensor, parts: readonly Tensor[]): boolean =>
  inputs.filter(other => other === x).length === 1 && parts.every(other => other.inputs.filter(y => y === x).length === (other === part ? 1 : 0))
