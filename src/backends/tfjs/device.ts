import { left, right } from 'fp-ts/lib/Either.js'
import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Tensor } from '../../ops/tensor.js'
import type { Device, TensorLike, Values } from '../device.js'
import type { Lowering, Lowerings } from './lowering.js'
import { Workspace, type Tfjs, type TfjsBackend } from './workspace.js'

/** A device over a tfjs backend that is ready. */
export const tfjsDevice = (name: string, tf: Tfjs, backendName: string, table: Lowerings): Device<TensorInfo> => {
  const backend = tf.engine().findBackend(backendName) as TfjsBackend
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
    upload: (values, shape, dtype) => w.upload(values, shape, dtype),
    download: async buffer => (await backend.read(buffer.dataId)) as Values,
    free: buffer => w.free(buffer),
    adopt: async (tensor: TensorLike) => {
      // Through its values: the tensor may live on another backend, or be disposed while we run.
      const values = await tensor.data()
      const dtype = tensor.dtype === 'int32' ? 'int32' : 'float32'
      return w.upload(dtype === 'int32' ? Int32Array.from(values) : Float32Array.from(values), tensor.shape, dtype)
    },
    expose: async (buffer, shape) => {
      const values = (await backend.read(buffer.dataId)) as Values
      w.free(buffer)
      return tf.tensor(values, [...shape], buffer.dtype)
    },
  }
}
