import type { TensorInfo } from '@tensorflow/tfjs-core'
import { denseStrides } from '../../../shape/shape.js'

/** `[2, 3, 4]` as a person reads it. */
export const showShape = (shape: readonly number[]): string => `[${shape.join(', ')}]`

/** A tensor seen as matrices: its last two axes, and the axes before them. */
export interface Matrices {
  readonly leading: readonly number[]
  readonly rows: number
  readonly columns: number
}

/** `[..., rows, columns]`; throws below rank 2. */
export const matricesOf = (kernel: string, name: string, { shape }: TensorInfo): Matrices => {
  const [rows, columns] = shape.slice(-2)
  if (rows === undefined || columns === undefined) {
    throw new Error(`${kernel}: ${name} needs at least two axes, but is ${showShape(shape)}`)
  }
  return { leading: shape.slice(0, -2), rows, columns }
}

/** The common shape of leading axes, aligned at the right: sizes equal, 1 or absent. */
export const broadcastLeading = (kernel: string, shapes: readonly (readonly number[])[]): number[] => {
  const rank = Math.max(...shapes.map((shape) => shape.length))
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1)
    const size = sizes.find((n) => n !== 1) ?? 1
    if (sizes.some((n) => n !== 1 && n !== size)) {
      throw new Error(`${kernel}: leading axes do not broadcast: ${shapes.map(showShape).join(' and ')}`)
    }
    return size
  })
}

/** For each index of the broadcast leading axes, in row-major order, the index among an operand's own. */
export const broadcastIndices = (own: readonly number[], broadcast: readonly number[]): number[] => {
  const strides = denseStrides(own)
  const shift = broadcast.length - own.length
  return broadcast.reduce<number[]>(
    (indices, size, axis) => {
      const stride = (own[axis - shift] ?? 1) === 1 ? 0 : (strides[axis - shift] ?? 0)
      return indices.flatMap((index) => Array.from({ length: size }, (_, i) => index + i * stride))
    },
    [0],
  )
}
