import { sizeOf, type Shape } from '../../shape/shape.js'

/** A tensor's values in double precision. The leading axis is the batch: 1 for what has none. */
export interface Value {
  readonly shape: Shape
  readonly data: Float64Array
}

/** A value of a shape, from a function of the flat index. */
export const fill = (shape: Shape, f: (index: number) => number): Value => {
  const data = new Float64Array(sizeOf(shape))
  for (let i = 0; i < data.length; i++) data[i] = f(i)
  return { shape, data }
}

/** Row-major strides; 0 along axes of size 1, so that they broadcast. */
export const broadcastStrides = (shape: Shape): readonly number[] => {
  const strides = shape.map(() => 0)
  let step = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] as number
    strides[axis] = size === 1 ? 0 : step
    step *= size
  }
  return strides
}

/** Calls `visit(out, offsets)` for every element of `shape` in row-major order, following each set of strides. */
export const walk = (shape: Shape, strides: readonly (readonly number[])[], visit: (index: number, offsets: readonly number[]) => void, start: readonly number[] = strides.map(() => 0)): void => {
  const at = shape.map(() => 0)
  const offsets = [...start]
  const total = sizeOf(shape)
  for (let index = 0; index < total; index++) {
    visit(index, offsets)
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at[axis]!++
      for (let s = 0; s < strides.length; s++) offsets[s]! += strides[s]![axis]!
      if (at[axis]! < shape[axis]!) break
      for (let s = 0; s < strides.length; s++) offsets[s]! -= at[axis]! * strides[s]![axis]!
      at[axis] = 0
    }
  }
}
