import { sizeOf } from './axes.js'
import { expectShape, operand, optionalOperand, type Implementation } from './implementation.js'

/** Rows of the last axis of a tensor, `[rows, width]`. */
const rowsOf = (kernel: string, shape: readonly number[]): [rows: number, width: number] => {
  const width = shape.at(-1)
  if (width === undefined) throw new Error(`${kernel}: x needs at least one axis`)
  return [sizeOf(shape.slice(0, -1)), width]
}

/** (x − mean) / √(variance + epsilon) · gamma + beta over the last axis of x `[..., C]`; gamma and beta `[C]`. */
export const layerNorm: Implementation = (kernels, inputs, { epsilon }) => {
  const name = 'VitrailLayerNorm'
  const x = operand(name, inputs, 'x')
  const gamma = optionalOperand(name, inputs, 'gamma')
  const beta = optionalOperand(name, inputs, 'beta')
  if (typeof epsilon !== 'number') throw new Error(`${name}: epsilon must be a number`)
  const [rows, width] = rowsOf(name, x.shape)
  if (gamma !== undefined) expectShape(name, 'gamma', gamma, [width])
  if (beta !== undefined) expectShape(name, 'beta', beta, [width])
  const y = kernels.output(x.shape)
  const address = (tensor: typeof gamma): number => (tensor === undefined ? 0 : kernels.address(tensor))
  kernels.run('layerNorm', rows, rows * width, kernels.address(x), address(gamma), address(beta), kernels.address(y), width, epsilon)
  return y
}

/** Softmax over the last axis of scale · x; the scale is 1 unless given. */
export const softmax: Implementation = (kernels, inputs, { scale = 1 }) => {
  const name = 'VitrailSoftmax'
  const x = operand(name, inputs, 'x')
  const [rows, width] = rowsOf(name, x.shape)
  const y = kernels.output(x.shape)
  kernels.run('softmax', rows, 2 * rows * width, kernels.address(x), kernels.address(y), width, Number(scale))
  return y
}
