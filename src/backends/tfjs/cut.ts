import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Shape } from '../../shape/shape.js'
import type { Workspace } from './workspace.js'

/** The kernel of backends whose own slices copy all that they are taken from. */
export const byRows = 'VitrailSliceByRows'

/** A part of a tensor, `[...] → size`. */
export const cut = (w: Workspace, x: TensorInfo, begin: Shape, size: Shape): TensorInfo =>
  w.call(w.has(byRows) ? byRows : 'Slice', { x }, { begin: [...begin], size: [...size] })
