import type { TensorInfo } from '@tensorflow/tfjs-core'
import { sizeOf } from '../../shape/shape.js'
import type { Lowering } from './lowering.js'
import type { Workspace } from './workspace.js'

/** The kernel of backends whose own `GatherV2` goes number by number: it copies whole rows. */
export const gatherByRows = 'VitrailGatherByRows'
/** Rows of fewer numbers are not worth it. */
const leastWidth = 16

/** Rows of a table, `[rows, ...]`, `[count]` → `[count, ...]`. Flat indices: with batch dimensions the wasm kernel reads the wrong rows. */
export const picked = (w: Workspace, x: TensorInfo, indices: TensorInfo): TensorInfo =>
  w.has(gatherByRows) && sizeOf(x.shape.slice(1)) >= leastWidth ? w.call(gatherByRows, { x, indices }) : w.call('GatherV2', { x, indices }, { axis: 0, batchDims: 0 })

/** Row numbers as one list; where each sample has a table of its own, in the tables laid one after the other. */
export const flatRows = (w: Workspace, indices: TensorInfo, tables: number, rows: number): TensorInfo => {
  const count = sizeOf(indices.shape.slice(1))
  if (tables === 1) return w.reshape(indices, [sizeOf(indices.shape)])
  const first = w.own(w.upload(Int32Array.from({ length: tables }, (_, sample) => sample * rows), [tables, 1], 'int32'))
  return w.reshape(w.call('Add', { a: w.reshape(indices, [indices.shape[0]!, count]), b: first }), [tables * count])
}

/** The largest first is what this kernel gives, those that are equal in their order; the smallest first are the largest of the negative. */
export const argsort: Lowering<'argsort'> = {
  needs: ['TopK', 'Sub'],
  run: (w, [x], { attributes: { descending }, shape }) => {
    const zero = (): TensorInfo => (x!.dtype === 'int32' ? w.own(w.upload(Int32Array.of(0), [], 'int32')) : w.scalar(0))
    const ranked = descending ? x! : w.call('Sub', { a: zero(), b: x! })
    return w.callAll('TopK', { x: ranked }, { k: shape.at(-1), sorted: true })[1]!
  },
}
