import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Workspace } from './workspace.js'

/**
 * Repeats a tensor along its axes. Axes are joined wherever the result is the same, because kernels on a GPU repeat five at
 * most.
 */
export const tile = (w: Workspace, x: TensorInfo, reps: readonly number[]): TensorInfo => {
  if (reps.every(times => times === 1)) return w.reshape(x, x.shape)
  const axes: { size: number; times: number }[] = []
  x.shape.forEach((size, axis) => {
    const [last, times] = [axes.at(-1), reps[axis]!]
    // Repeating the outer of two axes repeats both; an axis of one is repeated as the next one is.
    if (last !== undefined && times === 1) last.size *= size
    else if (last?.size === 1) Object.assign(last, { size, times: last.times * times })
    else axes.push({ size, times })
  })
  const tiled = w.call('Tile', { x: w.reshape(x, axes.map(({ size }) => size)) }, { reps: axes.map(({ times }) => times) })
  return w.reshape(tiled, x.shape.map((size, axis) => size * reps[axis]!))
}
