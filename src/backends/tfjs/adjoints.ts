import type { TensorInfo } from '@tensorflow/tfjs-core'
import { valueShape, type Convolution, type Tensor } from '../../ops/tensor.js'
import { sizeOf } from '../../shape/shape.js'
import type { Lowering } from './lowering.js'
import { flatRows } from './rows.js'
import { channelsLast, convolution, depthwise, padded, windows } from './windows.js'
import type { Workspace } from './workspace.js'

/** Axes that are not padded are folded into the one before: kernels pad four axes at most. */
export const pad: Lowering<'pad'> = {
  needs: ['PadV2', 'Reshape'],
  run: (w, [x], node, batch) => {
    const [from, into] = [x!.shape, valueShape(node, batch)]
    const folded: { size: number; before: number; after: number }[] = []
    from.forEach((size, axis) => {
      const before = axis === 0 ? 0 : node.attributes.begin[axis - 1]!
      const after = into[axis]! - size - before
      const last = folded.at(-1)
      if (last !== undefined && before === 0 && after === 0) folded[folded.length - 1] = { size: last.size * size, before: last.before * size, after: last.after * size }
      else folded.push({ size, before, after })
    })
    const zeros = w.call('PadV2', { x: w.reshape(x!, folded.map(({ size }) => size)) }, { paddings: folded.map(({ before, after }) => [before, after]), constantValue: 0 })
    return w.reshape(zeros, into)
  },
}

/** Rows that meet are summed by this kernel on every backend. */
export const scatterAdd: Lowering<'scatterAdd'> = {
  needs: ['ScatterNd', 'Add', 'Reshape'],
  run: (w, [indices, values], node, batch) => {
    const [tables = 1, rows, ...rest] = valueShape(node, batch)
    const width = sizeOf(rest)
    const into = flatRows(w, indices!, tables, rows!)
    const updates = w.reshape(values!, [sizeOf(into.shape), width])
    return w.reshape(w.call('ScatterNd', { indices: w.reshape(into, [sizeOf(into.shape), 1]), updates }, { shape: [tables * rows!, width] }), valueShape(node, batch))
  },
}

/** Each GELU's derivative from elementwise kernels, times `dy`. */
export const geluGradient: Lowering<'geluGradient'> = {
  needs: ['Multiply', 'Add', 'Sub', 'Erf', 'Exp', 'Tanh', 'Sigmoid'],
  run: (w, [input, dy], { attributes: { form } }) => {
    const x = input!
    const times = (a: TensorInfo, b: TensorInfo): TensorInfo => w.call('Multiply', { a, b })
    const plus = (a: TensorInfo, b: TensorInfo): TensorInfo => w.call('Add', { a, b })
    const by = (a: TensorInfo, factor: number): TensorInfo => times(a, w.scalar(factor))
    const oneMinus = (a: TensorInfo): TensorInfo => w.call('Sub', { a: w.scalar(1), b: a })
    const square = times(x, x)
    if (form === 'quick') {
      const s = w.call('Sigmoid', { x: by(x, 1.702) })
      return times(dy!, times(s, plus(w.scalar(1), times(by(x, 1.702), oneMinus(s)))))
    }
    if (form === 'erf') {
      const cumulative = by(plus(w.call('Erf', { x: by(x, Math.SQRT1_2) }), w.scalar(1)), 0.5)
      const density = by(w.call('Exp', { x: by(square, -0.5) }), 1 / Math.sqrt(2 * Math.PI))
      return times(dy!, plus(cumulative, times(x, density)))
    }
    const rate = Math.sqrt(2 / Math.PI)
    const t = w.call('Tanh', { x: times(x, plus(by(square, rate * 0.044715), w.scalar(rate))) })
    const slope = times(by(times(x, oneMinus(times(t, t))), 0.5), plus(by(square, 3 * 0.044715 * rate), w.scalar(rate)))
    return times(dy!, plus(by(plus(t, w.scalar(1)), 0.5), slope))
  },
}

/** The sum, or the mean, over the last axis, which stays with size 1. */
const overRows = (w: Workspace, kind: 'Sum' | 'Mean', x: TensorInfo): TensorInfo => {
  const sum = w.reshape(w.call('Sum', { x }, { axis: [x.shape.length - 1], keepDims: false }), [...x.shape.slice(0, -1), 1])
  return kind === 'Sum' ? sum : w.call('Multiply', { a: sum, b: w.scalar(1 / x.shape.at(-1)!) })
}

/** `y (dy − Σ y dy)`. */
export const softmaxGradient: Lowering<'softmaxGradient'> = {
  needs: ['Multiply', 'Sum', 'Sub', 'Reshape'],
  run: (w, [y, dy]) => w.call('Multiply', { a: y, b: w.call('Sub', { a: dy, b: overRows(w, 'Sum', w.call('Multiply', { a: y, b: dy })) }) }),
}

/** `(g − mean g − x̂ · mean g x̂) / σ` for `g = dy·γ`, in two passes as `layerNorm`. */
export const layerNormGradient: Lowering<'layerNormGradient'> = {
  needs: ['Sum', 'Sub', 'Multiply', 'Add', 'Rsqrt', 'Reshape'],
  run: (w, [x, dy, gamma], { attributes: { epsilon } }) => {
    const times = (a: TensorInfo, b: TensorInfo): TensorInfo => w.call('Multiply', { a, b })
    const minus = (a: TensorInfo, b: TensorInfo): TensorInfo => w.call('Sub', { a, b })
    const centred = minus(x!, overRows(w, 'Mean', x!))
    const inverse = w.call('Rsqrt', { x: w.call('Add', { a: overRows(w, 'Mean', times(centred, centred)), b: w.scalar(epsilon) }) })
    const normalised = times(centred, inverse)
    const g = gamma === undefined ? dy! : times(dy!, w.reshape(gamma, gamma.shape.slice(1)))
    return times(minus(minus(g, overRows(w, 'Mean', g)), times(normalised, overRows(w, 'Mean', times(g, normalised)))), inverse)
  },
}

/** One 2-D product over the rows of all samples. */
export const linearWeightGradient: Lowering<'linearWeightGradient'> = {
  needs: ['BatchMatMul', 'Reshape'],
  run: (w, [x, dy], { shape: [out, inner] }) => {
    const rows = (t: TensorInfo, width: number): TensorInfo => w.reshape(t, [1, sizeOf(t.shape) / width, width])
    return w.call('BatchMatMul', { a: rows(dy!, out!), b: rows(x!, inner!) }, { transposeA: true, transposeB: false })
  },
}

type ConvolutionGradient = Tensor<'conv2dInputGradient' | 'conv2dWeightGradient'>
const perChannel = (node: ConvolutionGradient, channels: number): boolean => node.attributes.groups > 1 && node.attributes.groups === channels
/** An image with its padding, as sizes: `[batch, height, width, channels]`. */
const paddedShape = ({ attributes: { padding } }: ConvolutionGradient, [batch, height, width, channels]: readonly number[]): [number, number, number, number] => [batch!, height! + padding[0][0] + padding[0][1], width! + padding[1][0] + padding[1][1], channels!]
/** The image without its padding. */
const cropped = (w: Workspace, x: TensorInfo, [[top], [left]]: Convolution['padding'], size: readonly number[]): TensorInfo =>
  w.call('Slice', { x }, { begin: [0, top, left, 0], size: [...size] })

const channelBlock = (w: Workspace, x: TensorInfo, group: number, width: number): TensorInfo =>
  w.call('Slice', { x }, { begin: [...x.shape.slice(0, -1).map(() => 0), group * width], size: [...x.shape.slice(0, -1), width] })
const grouped = (w: Workspace, groups: number, one: (group: number) => TensorInfo): TensorInfo =>
  groups === 1 ? one(0) : w.call('Concat', Array.from({ length: groups }, (_, group) => one(group)), { axis: 3 })

/** One transposed convolution a group, over the image with its padding. */
export const conv2dInputGradient: Lowering<'conv2dInputGradient'> = {
  needs: ['Conv2DBackpropInput', 'Transpose', 'Slice', 'Concat', 'Reshape'],
  run: (w, [dy, weight], node, batch) => {
    const { groups, strides, padding } = node.attributes
    const size = valueShape(node, batch)
    const filter = channelsLast(w, weight!)
    const [perGroup, out] = filter.shape.slice(2) as [number, number]
    const inputShape = [...paddedShape(node, size).slice(0, 3), perGroup]
    const block = (x: TensorInfo, group: number): TensorInfo => (groups === 1 ? x : channelBlock(w, x, group, out / groups))
    const whole = grouped(w, groups, group => w.call('Conv2DBackpropInput', { dy: block(dy!, group), filter: block(filter, group) }, { ...convolution(strides), inputShape, dimRoundingMode: undefined }))
    return cropped(w, whole, padding, size)
  },
}

/** The same where each channel has filters of its own. */
export const depthwiseConv2dInputGradient: Lowering<'conv2dInputGradient'> = {
  needs: ['DepthwiseConv2dNativeBackpropInput', 'Transpose', 'Slice', 'Reshape'],
  fits: node => perChannel(node, node.shape[2]!),
  run: (w, [dy, weight], node, batch) => {
    const size = valueShape(node, batch)
    const filter = depthwise(w, weight!, node.attributes.groups)
    const whole = w.call('DepthwiseConv2dNativeBackpropInput', { dy, filter }, { ...convolution(node.attributes.strides), inputShape: paddedShape(node, size), dimRoundingMode: undefined })
    return cropped(w, whole, node.attributes.padding, size)
  },
}

/** One correlation a group; tfjs's `[height, width, in/groups, out]` turned back to PyTorch's layout. */
export const conv2dWeightGradient: Lowering<'conv2dWeightGradient'> = {
  needs: ['Conv2DBackpropFilter', 'Transpose', 'PadV2', 'Slice', 'Concat', 'Reshape'],
  run: (w, [x, dy], node) => {
    const { groups, strides } = node.attributes
    const [out, perGroup, height, width] = node.shape as [number, number, number, number]
    const image = padded(w, x!, node)
    const block = (t: TensorInfo, group: number, channels: number): TensorInfo => (groups === 1 ? t : channelBlock(w, t, group, channels))
    const filter = grouped(w, groups, group =>
      w.call('Conv2DBackpropFilter', { x: block(image, group, perGroup), dy: block(dy!, group, out / groups) }, { ...convolution(strides), filterShape: [height, width, perGroup, out / groups], dimRoundingMode: undefined }),
    )
    return w.reshape(w.call('Transpose', { x: filter }, { perm: [3, 2, 0, 1] }), [1, ...node.shape])
  },
}

/** The same where each channel has filters of its own. */
export const depthwiseConv2dWeightGradient: Lowering<'conv2dWeightGradient'> = {
  needs: ['DepthwiseConv2dNativeBackpropFilter', 'Transpose', 'PadV2', 'Reshape'],
  fits: node => perChannel(node, node.inputs[0]!.shape[2]!),
  run: (w, [x, dy], node) => {
    const { groups, strides } = node.attributes
    const [out, , height, width] = node.shape as [number, number, number, number]
    const filter = w.call('DepthwiseConv2dNativeBackpropFilter', { x: padded(w, x!, node), dy }, { ...convolution(strides), filterShape: [height, width, groups, out / groups], dimRoundingMode: undefined })
    return w.reshape(w.call('Transpose', { x: filter }, { perm: [2, 3, 0, 1] }), [1, ...node.shape])
  },
}

/** The padding is smaller than any real value, so that nothing lands in it. */
export const maxPoolGradient: Lowering<'maxPoolGradient'> = {
  needs: ['MaxPoolGrad', 'MaxPool', 'PadV2', 'Slice'],
  run: (w, [x, dy], node) => {
    const image = padded(w, x!, node, -3.4e38)
    const whole = w.call('MaxPoolGrad', { dy, input: image, output: w.call('MaxPool', { x: image }, windows(node)) }, windows(node))
    return cropped(w, whole, node.attributes.padding, x!.shape)
  },
}
