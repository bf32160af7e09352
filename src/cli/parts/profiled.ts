import { map } from 'fp-ts/lib/Either.js'
import type { Backend, Device, Kernel } from '../../backends/device.js'
import { multiplyAdds } from '../../graph/cost.js'
import type { Tensor } from '../../ops/tensor.js'
import { show } from '../../shape/shape.js'

/** The shortest time that each node's kernel took, in milliseconds. */
export type KernelTimes = Map<Tensor, number>

/** A backend that notes how long its kernels take. Right only where they run at once: a graphics card merely begins them. */
export const profiled = (backend: Backend, times: KernelTimes): Backend => ({ name: backend.name, open: async () => map((device: Device) => timed(device, times))(await backend.open()) })

const timed = (device: Device, times: KernelTimes): Device => ({
  ...device,
  kernel: (node, batch) =>
    map((kernel: Kernel<unknown>) => ({
      ...kernel,
      run: (inputs: readonly unknown[], spare?: number): unknown => {
        const began = performance.now()
        const made = kernel.run(inputs, spare)
        times.set(node, Math.min(times.get(node) ?? Infinity, performance.now() - began))
        return made
      },
    }))(device.kernel(node, batch)),
})

/** Kernels of one op on tensors of one size. */
export interface KernelShare {
  readonly op: string
  /** What it makes of what, weights among it: `197×192, 768×192 → 197×768`. */
  readonly shapes: string
  readonly calls: number
  readonly ms: number
  /** Of the time of all kernels. */
  readonly share: number
  /** 10⁹ multiplications and additions of products a second; 0 where there are none. */
  readonly gflops: number
}

/** Where the time goes, the most first. */
export const shares = (times: KernelTimes, batch: number): readonly KernelShare[] => {
  const groups = new Map<string, { readonly node: Tensor; calls: number; ms: number }>()
  // What depends on weights alone has run but once.
  const each = [...times].filter(([node]) => node.batched)
  for (const [node, ms] of each) {
    const key = `${node.op} ${shapesOf(node)}`
    const group = groups.get(key) ?? { node, calls: 0, ms: 0 }
    group.calls++
    group.ms += ms
    groups.set(key, group)
  }
  const all = each.reduce((sum, [, ms]) => sum + ms, 0)
  return [...groups.values()]
    .sort((a, b) => b.ms - a.ms)
    .map(({ node, calls, ms }) => ({ op: node.op, shapes: shapesOf(node), calls, ms, share: ms / all, gflops: (2 * multiplyAdds([node]).total * (node.batched ? batch : 1) * calls) / ms / 1e6 }))
}

const shapesOf = (node: Tensor): string => `${node.inputs.filter(x => x.shape.length > 1).map(x => show(x.shape)).join(', ')} → ${show(node.shape)}`
