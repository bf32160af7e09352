import type { TensorInfo } from '@tensorflow/tfjs-core'
import { sizeOf } from './axes.js'
import { codeOf, expectShape, operand, optionalOperand, type Implementation } from './implementation.js'
import { unaryCodes } from './native.js'

/** x and its gradient, of one shape, and the rows of their last axis. */
const pairOf = (kernel: string, inputs: Parameters<Implementation>[1], name: string): { readonly x: TensorInfo; readonly dy: TensorInfo; readonly rows: number; readonly width: number } => {
  const [x, dy] = [operand(kernel, inputs, name), operand(kernel, inputs, 'dy')]
  expectShape(kernel, 'dy', dy, x.shape)
  return { x, dy, rows: sizeOf(x.shape.slice(0, -1)), width: x.shape.at(-1) ?? 1 }
}

/** dy times the derivative of the GELU `fn` at x. */
export const geluGradient: Implementation = (kernels, inputs, { fn }) => {
  const { x, dy } = pairOf('VitrailGeluGradient', inputs, 'x')
  const code = codeOf('VitrailGeluGradient', unaryCodes, fn)
  const dx = kernels.output(x.shape)
  kernels.native.geluGradient(kernels.address(x), kernels.address(dy), kernels.address(dx), sizeOf(x.shape), code)
  return dx
}

/** y · (dy − Σ y·dy) over the last axis. */
export const softmaxGradient: Implementation = (kernels, inputs) => {
  const { x: y, dy, rows, width } = pairOf('VitrailSoftmaxGradient', inputs, 'y')
  const dx = kernels.output(y.shape)
  kernels.native.softmaxGradient(kernels.address(y), kernels.address(dy), kernels.address(dx), rows, width)
  return dx
}

/** The gradient of layer norm for its input x `[..., C]`, with the scale gamma `[C]` if it has one. */
export const layerNormGradient: Implementation = (kernels, inputs, { epsilon }) => {
  const name = 'VitrailLayerNormGradient'
  const { x, dy, rows, width } = pairOf(name, inputs, 'x')
  const gamma = optionalOperand(name, inputs, 'gamma')
  if (typeof epsilon !== 'number') throw new Error(`${name}: epsilon must be a number`)
  if (gamma !== undefined) expectShape(name, 'gamma', gamma, [width])
  const dx = kernels.output(x.shape)
  kernels.native.layerNormGradient(kernels.address(x), kernels.address(dy), gamma === undefined ? 0 : kernels.address(gamma), kernels.address(dx), rows, width, epsilon)
  return dx
}

/** The sum of x over `count` axes from `axis` on, times `scale`; those axes are dropped. */
export const sumAxes: Implementation = (kernels, inputs, { axis, count, scale = 1 }) => {
  const x = operand('VitrailSum', inputs, 'x')
  const [first, end] = [Number(axis), Number(axis) + Number(count)]
  if (!(first >= 0 && end >= first && end <= x.shape.length)) throw new Error(`VitrailSum: axes ${first} to ${end} are not among the ${x.shape.length} of x`)
  const [before, summed, after] = [x.shape.slice(0, first), x.shape.slice(first, end), x.shape.slice(end)]
  const y = kernels.output([...before, ...after])
  kernels.native.sumAxis(kernels.address(x), kernels.address(y), sizeOf(before), sizeOf(summed), sizeOf(after), Number(scale))
  return y
}

/** dyᵀ x over all rows: x `[..., in]` and dy `[..., out]` → `[out, in]`. */
export const weightGradient: Implementation = (kernels, inputs) => {
  const name = 'VitrailWeightGradient'
  const [x, dy] = [operand(name, inputs, 'x'), operand(name, inputs, 'dy')]
  const [inner, out] = [x.shape.at(-1), dy.shape.at(-1)]
  if (inner === undefined || out === undefined) throw new Error(`${name}: x and dy need at least one axis`)
  expectShape(name, 'dy', dy, [...x.shape.slice(0, -1), out])
  const rows = sizeOf(x.shape.slice(0, -1))
  const scratch = kernels.scratch(kernels.native.weightGradientScratchBytes(out, inner, rows))
  const dw = kernels.output([out, inner])
  kernels.native.weightGradient(kernels.address(dy), out, kernels.address(x), inner, kernels.address(dw), rows, out, inner, 0, scratch)
  return dw
}
