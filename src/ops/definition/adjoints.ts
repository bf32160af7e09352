import { sizeOf } from '../../shape/shape.js'
import { valueShape, type Convolution, type GeluForm, type Tensor } from '../tensor.js'
import { erf } from './erf.js'
import { broadcastStrides, fill, walk, type Value } from './value.js'

/** The derivative of each GELU. */
const geluDerivatives: { readonly [F in GeluForm]: (x: number) => number } = {
  erf: x => 0.5 * (1 + erf(x / Math.SQRT2)) + (x * Math.exp(-0.5 * x * x)) / Math.sqrt(2 * Math.PI),
  tanh: x => {
    const rate = Math.sqrt(2 / Math.PI)
    const t = Math.tanh(rate * (x + 0.044715 * x ** 3))
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * rate * (1 + 3 * 0.044715 * x * x)
  },
  quick: x => {
    const s = 1 / (1 + Math.exp(-1.702 * x))
    return s * (1 + 1.702 * x * (1 - s))
  },
}

/** `dy · gelu′(x)`; see `ops.geluGradient`. */
export const geluGradient = ({ attributes }: Tensor<'geluGradient'>, [x, dy]: readonly Value[]): Value => fill(x!.shape, i => dy!.data[i]! * geluDerivatives[attributes.form](x!.data[i]!))

/** `y (dy − Σ y dy)` of each row; see `ops.softmaxGradient`. */
export const softmaxGradient = (_: Tensor<'softmaxGradient'>, [y, dy]: readonly Value[]): Value =>
  ofRows(y!, (at, width) => {
    let dot = 0
    for (let i = at; i < at + width; i++) dot += y!.data[i]! * dy!.data[i]!
    return i => y!.data[i]! * (dy!.data[i]! - dot)
  })

/** With `x̂` the normalised row and `g = dy·γ`: `(g − mean g − x̂ · mean g·x̂) / σ`; see `ops.layerNormGradient`. */
export const layerNormGradient = ({ attributes: { epsilon } }: Tensor<'layerNormGradient'>, [x, dy, gamma]: readonly Value[]): Value =>
  ofRows(x!, (at, width) => {
    const mean = (f: (i: number) => number): number => Array.from({ length: width }, (_, i) => f(at + i)).reduce((a, b) => a + b, 0) / width
    const centre = mean(i => x!.data[i]!)
    const inverse = 1 / Math.sqrt(mean(i => (x!.data[i]! - centre) ** 2) + epsilon)
    const normalised = (i: number): number => (x!.data[i]! - centre) * inverse
    const g = (i: number): number => dy!.data[i]! * (gamma?.data[i - at] ?? 1)
    const [average, along] = [mean(g), mean(i => g(i) * normalised(i))]
    return i => (g(i) - average - normalised(i) * along) * inverse
  })

/** `f` begins a row and gives the value at each place of it. */
const ofRows = (x: Value, f: (at: number, width: number) => (i: number) => number): Value => {
  const width = x.shape.at(-1) as number
  const data = new Float64Array(x.data.length)
  for (let at = 0; at < data.length; at += width) {
    const value = f(at, width)
    for (let i = at; i < at + width; i++) data[i] = value(i)
  }
  return { shape: x.shape, data }
}

/** Repetition; see `ops.broadcast`. */
export const broadcast = (node: Tensor<'broadcast'>, [x]: readonly Value[], batch: number): Value => {
  const shape = valueShape(node, batch)
  const data = new Float64Array(sizeOf(shape))
  walk(shape, [broadcastStrides(x!.shape)], (i, [at]) => (data[i] = x!.data[at!]!))
  return { shape, data }
}

/** Rows added into a table; see `ops.scatterAdd`. */
export const scatterAdd = (node: Tensor<'scatterAdd'>, [indices, values]: readonly Value[], batch: number): Value => {
  const width = sizeOf(node.shape.slice(1))
  const shape = valueShape(node, batch)
  const picks = sizeOf(node.inputs[0]!.shape)
  const [ofTable, ofIndices] = [node.batched ? node.shape[0]! : 0, indices!.shape[0] === 1 ? 0 : picks]
  const data = new Float64Array(sizeOf(shape))
  values!.data.forEach((value, i) => {
    const [sample, pick] = [Math.floor(i / width / picks), Math.floor(i / width) % picks]
    data[(sample * ofTable + indices!.data[sample * ofIndices + pick]!) * width + (i % width)]! += value
  })
  return { shape, data }
}

/** `Σ dy xᵀ` over all rows; see `ops.linearWeightGradient`. */
export const linearWeightGradient = ({ shape }: Tensor<'linearWeightGradient'>, [x, dy]: readonly Value[]): Value => {
  const [out, inner] = shape as readonly [number, number]
  const rows = out === 0 ? 0 : dy!.data.length / out
  return fill([1, out, inner], at => {
    const [o, i] = [Math.floor(at / inner), at % inner]
    let total = 0
    for (let row = 0; row < rows; row++) total += dy!.data[row * out + o]! * x!.data[row * inner + i]!
    return total
  })
}

/** Every product a convolution sums: places in the result, in the image and in the weight. */
const eachProduct = (images: number, image: readonly number[], weight: readonly number[], result: readonly number[], { strides, padding, groups }: Convolution, visit: (y: number, x: number, w: number) => void): void => {
  const [height, width, channels] = image as [number, number, number]
  const [out, perGroup, kernelHeight, kernelWidth] = weight as [number, number, number, number]
  walk([images, ...result, kernelHeight, kernelWidth], [], at => {
    const digits: number[] = []
    let rest = at
    for (const size of [kernelWidth, kernelHeight, out, result[1]!, result[0]!]) {
      digits.push(rest % size)
      rest = Math.floor(rest / size)
    }
    const [dx, dy, channel, column, row] = digits as [number, number, number, number, number]
    const [y, x] = [row * strides[0] + dy - padding[0][0], column * strides[1] + dx - padding[1][0]]
    if (y < 0 || y >= height || x < 0 || x >= width) return
    const first = Math.floor(channel / (out / groups)) * perGroup
    const into = ((rest * result[0]! + row) * result[1]! + column) * out + channel
    for (let c = 0; c < perGroup; c++) visit(into, ((rest * height + y) * width + x) * channels + first + c, ((channel * perGroup + c) * kernelHeight + dy) * kernelWidth + dx)
  })
}

/** See `ops.conv2dInputGradient`. */
export const conv2dInputGradient = (node: Tensor<'conv2dInputGradient'>, [dy, weight]: readonly Value[], batch: number): Value => {
  const shape = valueShape(node, batch)
  const data = new Float64Array(sizeOf(shape))
  eachProduct(shape[0]!, node.shape, weight!.shape.slice(1), dy!.shape.slice(1), node.attributes, (y, x, w) => (data[x]! += dy!.data[y]! * weight!.data[w]!))
  return { shape, data }
}

/** See `ops.conv2dWeightGradient`. */
export const conv2dWeightGradient = ({ shape, attributes }: Tensor<'conv2dWeightGradient'>, [x, dy]: readonly Value[]): Value => {
  const data = new Float64Array(sizeOf(shape))
  eachProduct(x!.shape[0]!, x!.shape.slice(1), shape, dy!.shape.slice(1), attributes, (y, at, w) => (data[w]! += dy!.data[y]! * x!.data[at]!))
  return { shape: [1, ...shape], data }
}

/** See `ops.maxPoolGradient`. */
export const maxPoolGradient = ({ attributes: { size, strides, padding } }: Tensor<'maxPoolGradient'>, [x, dy]: readonly Value[]): Value => {
  const [, height, width, channels] = x!.shape as [number, number, number, number]
  const [, rows, columns] = dy!.shape as [number, number, number, number]
  const data = new Float64Array(x!.data.length)
  dy!.data.forEach((value, i) => {
    const [channel, column, row] = [i % channels, Math.floor(i / channels) % columns, Math.floor(i / channels / columns) % rows]
    const image = Math.floor(i / channels / columns / rows)
    let best = -1
    for (let y = Math.max(0, row * strides[0] - padding[0][0]); y < Math.min(height, row * strides[0] - padding[0][0] + size[0]); y++)
      for (let across = Math.max(0, column * strides[1] - padding[1][0]); across < Math.min(width, column * strides[1] - padding[1][0] + size[1]); across++) {
        const at = ((image * height + y) * width + across) * channels + channel
        if (best < 0 || x!.data[at]! > x!.data[best]!) best = at
      }
    data[best]! += value
  })
  return { shape: x!.shape, data }
}
