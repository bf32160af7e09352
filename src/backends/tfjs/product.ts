import type { TensorInfo } from '@tensorflow/tfjs-core'
import { sizeOf } from '../../shape/shape.js'
import type { Workspace } from './workspace.js'

/** Which factors are transposed. */
export interface Transposes {
  readonly transposeA?: boolean
  readonly transposeB?: boolean
}

/** The kernel of backends that are fast at one product and slow at many: it does them one by one. */
export const bySlices = 'VitrailProductBySlices'
/** Below so many multiply-adds, or rows, preparing a product takes longer than the slow way (measured on tfjs's wasm). */
const [leastWork, leastRows] = [8192, 8]

/** Exchanges the last two axes. */
const turned = (w: Workspace, x: TensorInfo): TensorInfo => {
  const [rows, columns] = x.shape.slice(-2) as [number, number]
  const leading = x.shape.slice(0, -2)
  return w.reshape(w.call('Transpose', { x: w.reshape(x, [sizeOf(leading), rows, columns]) }, { perm: [0, 2, 1] }), [...leading, columns, rows])
}

/** Products over the last two axes of two tensors whose leading axes are the same, in the way that is fast on the backend. */
export const product = (w: Workspace, a: TensorInfo, b: TensorInfo, { transposeA = false, transposeB = false }: Transposes = {}): TensorInfo => {
  const [rows, inner] = transposeA ? [a.shape.at(-1)!, a.shape.at(-2)!] : [a.shape.at(-2)!, a.shape.at(-1)!]
  const columns = b.shape.at(transposeB ? -2 : -1)!
  if (!w.has(bySlices) || rows < leastRows || rows * inner * columns < leastWork) return w.call('BatchMatMul', { a, b }, { transposeA, transposeB })
  return w.call(bySlices, { a: transposeA ? turned(w, a) : a, b: transposeB ? turned(w, b) : b })
}
