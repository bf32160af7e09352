import { left, right } from 'fp-ts/lib/Either.js'
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Tensor } from '../../ops/tensor.js'
import type { Device, Values } from '../device.js'
import type { Lowering, Lowerings } from './lowering.js'
import { Workspace, type Tfjs } from './workspace.js'

/**
 * A device over a tfjs backend that is ready.
 *
 * @param keepsArrays whether values must be copied on their way in and out, lest a caller's array be ours too
 */
export const tfjsDevice = (name: string, tf: Tfjs, backendName: string, table: Lowerings, keepsArrays: boolean): Device<TensorInfo> => {
  const backend = tf.engine().findBackend(backendName)
  const w = new Workspace(tf, backend, backendName)
  const choose = (node: Tensor): readonly string[] | Lowering => {
    const ways = (table[node.op as keyof Lowerings] as readonly Lowering[]).filter(way => way.fits?.(node) ?? true)
    return ways.find(way => way.needs.every(kernel => w.has(kernel))) ?? ways.at(-1)?.needs.filter(kernel => !w.has(kernel)) ?? [node.op]
  }
  return {
    name,
    kernel: (node, batch) => {
      const way = choose(node)
      if (Array.isArray(way)) return left(way)
      const { adapt, run } = way as Lowering
      return right({
        ...(adapt === undefined ? {} : { adapt: { input: adapt.input, make: (x: TensorInfo) => w.scope(() => adapt.make(w, x, node)) } }),
        run: inputs => w.scope(() => run(w, inputs, node, batch)),
      })
    },
    upload: (values, shape, dtype) => w.upload(keepsArrays ? values.slice() : values, shape, dtype),
    download: async buffer => {
      const values = (await backend.read(buffer.dataId)) as Values
      return keepsArrays ? values.slice() : values
    },
    free: buffer => w.free(buffer),
  }
}
