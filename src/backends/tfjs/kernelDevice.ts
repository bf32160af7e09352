import { left, right } from 'fp-ts/lib/Either.js'
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Tensor } from '../../ops/tensor.js'
import type { Device } from '../device.js'
import type { KernelHost } from './kernelHost.js'
import type { Lowering, Lowerings } from './lowering.js'
import { Workspace } from './workspace.js'

/** A device over a host of kernels: each node runs by the first of its lowerings whose kernels are there. */
export const kernelDevice = (host: KernelHost, table: Lowerings): Device<TensorInfo> => {
  const w = new Workspace(host)
  const choose = (node: Tensor): readonly string[] | Lowering => {
    const ways = (table[node.op as keyof Lowerings] as readonly Lowering[]).filter(way => way.fits?.(node) ?? true)
    return ways.find(way => way.needs.every(kernel => w.has(kernel))) ?? ways.at(-1)?.needs.filter(kernel => !w.has(kernel)) ?? [node.op]
  }
  return {
    name: host.name,
    kernel: (node, batch) => {
      const way = choose(node)
      if (Array.isArray(way)) return left(way)
      const { adapt, overwrites, run } = way as Lowering
      return right({
        ...(adapt === undefined ? {} : { adapt: { ...adapt, make: (x: TensorInfo) => w.scope(() => adapt.make(w, x, node)) } }),
        ...(overwrites === undefined ? {} : { overwrites }),
        run: (inputs, spare) => w.scope(() => run(w, inputs, node, batch), spare === undefined ? undefined : inputs[spare]),
      })
    },
    upload: (values, shape, dtype) => w.upload(values, shape, dtype),
    download: buffer => host.download(buffer),
    free: buffer => w.free(buffer),
    held: () => host.held(),
    ...(host.assignment === undefined ? {} : { assignment: host.assignment }),
  }
}
