import { sizeOf, type Shape } from '../../shape/shape.js'
import type { Tensor } from '../tensor.js'
import { broadcastStrides, fill, walk, type Value } from './value.js'

/** Batched matrix products, either side transposed; see `ops.matmul`. */
export const matmul = (node: Tensor<'matmul'>, [a, b]: readonly Value[], batch: number): Value => {
  const { transposeA, transposeB } = node.attributes
  const shape: Shape = [node.batched ? batch : 1, ...node.shape]
  const [m, n] = shape.slice(-2) as [number, number]
  const k = a!.shape.at(transposeA ? -2 : -1) as number
  const leading = shape.slice(0, -2)
  const data = new Float64Array(sizeOf(shape))
  const [sizeA, sizeB] = [sizeOf(a!.shape.slice(-2)), sizeOf(b!.shape.slice(-2))]
  walk(leading, [broadcastStrides(a!.shape.slice(0, -2)), broadcastStrides(b!.shape.slice(0, -2))], (i, [p, q]) => {
    for (let row = 0; row < m; row++)
      for (let column = 0; column < n; column++) {
        let total = 0
        for (let j = 0; j < k; j++)
          total += a!.data[p! * sizeA + (transposeA ? j * m + row : row * k + j)]! * b!.data[q! * sizeB + (transposeB ? column * k + j : j * n + column)]!
        data[(i * m + row) * n + column] = total
      }
  })
  return { shape, data }
}

/** `x Wᵀ + b` over the last axis; see `ops.linear`. */
export const linear = (node: Tensor<'linear'>, [x, weight, bias]: readonly Value[], batch: number): Value => {
  const [out, inner] = weight!.shape.slice(1) as [number, number]
  return fill([node.batched ? batch : 1, ...node.shape], i => {
    const [row, column] = [Math.floor(i / out), i % out]
    let total = bias?.data[column] ?? 0
    for (let j = 0; j < inner; j++) total += x!.data[row * inner + j]! * weight!.data[column * inner + j]!
    return total
  })
}

/** Multi-head attention on `[batch, ..., tokens, dim]`; see `ops.attention`. */
export const attention = (node: Tensor<'attention'>, [q, k, v, bias]: readonly Value[], batch: number): Value => {
  const { numHeads, scale } = node.attributes
  const shape = [node.batched ? batch : 1, ...node.shape]
  const leading = shape.slice(0, -2)
  const [queries, dim] = shape.slice(-2) as [number, number]
  const keys = k!.shape.at(-2) as number
  const headDim = dim / numHeads
  const data = new Float64Array(sizeOf(shape))
  const scores = new Float64Array(keys)
  const at = (t: Value, image: number, token: number, head: number): number => (image * t.shape.at(-2)! + token) * dim + head * headDim
  const strides = [q!, k!, v!].map(t => broadcastStrides(t.shape.slice(0, -2)))
  walk(leading, [...strides, broadcastStrides(bias?.shape.slice(0, -3) ?? leading.map(() => 1))], (image, [ofQueries, ofKeys, ofValues, ofBias]) => {
    for (let head = 0; head < numHeads; head++)
      for (let query = 0; query < queries; query++) {
        const from = at(q!, ofQueries!, query, head)
        let largest = -Infinity
        for (let key = 0; key < keys; key++) {
          const to = at(k!, ofKeys!, key, head)
          let dot = 0
          for (let c = 0; c < headDim; c++) dot += q!.data[from + c]! * k!.data[to + c]!
          const shift = bias === undefined ? 0 : bias.data[((ofBias! * numHeads + head) * queries + query) * keys + key]!
          scores[key] = dot * scale + shift
          largest = Math.max(largest, scores[key]!)
        }
        let total = 0
        for (let key = 0; key < keys; key++) total += scores[key] = Math.exp(scores[key]! - largest)
        const into = (image * queries + query) * dim + head * headDim
        for (let key = 0; key < keys; key++) {
          const values = at(v!, ofValues!, key, head)
          for (let c = 0; c < headDim; c++) data[into + c]! += (scores[key]! / total) * v!.data[values + c]!
        }
      }
  })
  return { shape, data }
}

/** A grouped 2-D convolution with zero padding; see `ops.conv2d`. */
export const conv2d = (node: Tensor<'conv2d'>, [x, weight, bias]: readonly Value[], batch: number): Value => {
  const { strides, padding, groups } = node.attributes
  const [height, width, channels] = x!.shape.slice(1) as [number, number, number]
  const [, out, perGroup, kernelHeight, kernelWidth] = weight!.shape as [number, number, number, number, number]
  const [rows, columns] = node.shape as [number, number]
  const images = node.batched ? batch : 1
  return fill([images, ...node.shape], i => {
    const channel = i % out
    const column = Math.floor(i / out) % columns
    const row = Math.floor(i / out / columns) % rows
    const image = Math.floor(i / out / columns / rows)
    const group = Math.floor(channel / (out / groups))
    let total = bias?.data[channel] ?? 0
    for (let dy = 0; dy < kernelHeight; dy++) {
      const y = row * strides[0] + dy - padding[0][0]
      if (y < 0 || y >= height) continue
      for (let dx = 0; dx < kernelWidth; dx++) {
        const at = column * strides[1] + dx - padding[1][0]
        if (at < 0 || at >= width) continue
        for (let c = 0; c < perGroup; c++)
          total += x!.data[((image * height + y) * width + at) * channels + group * perGroup + c]! * weight!.data[((channel * perGroup + c) * kernelHeight + dy) * kernelWidth + dx]!
      }
    }
    return total
  })
}
