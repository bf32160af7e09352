import { right } from 'fp-ts/lib/Either.js'
import { of } from 'fp-ts/lib/TaskEither.js'
import { evaluate } from '../../ops/definition/define.js'
import { fill, type Value } from '../../ops/definition/value.js'
import type { DType } from '../../shape/shape.js'
import type { Backend, Device } from '../device.js'

/** A value with the element type it is handed out as. */
interface ReferenceBuffer extends Value {
  readonly dtype: DType
}

const device: Device<ReferenceBuffer> = {
  name: 'reference',
  kernel: (node, batch) => right({ run: inputs => ({ ...evaluate(node, inputs, batch), dtype: node.dtype }) }),
  upload: (values, shape, dtype) => ({ ...fill(shape, i => values[i]!), dtype }),
  download: async ({ data, dtype }) => (dtype === 'int32' ? Int32Array.from(data) : Float32Array.from(data)),
  free: () => {},
  assign: (_, buffer) => ({ ...buffer, data: Float64Array.from(Float32Array.from(buffer.data)) }),
}

/**
 * Plain TypeScript loops in double precision: slow, needs nothing, and by definition right. The other
 * backends are compared with it.
 */
export const reference: Backend = { name: 'reference', open: of(device as Device) }
