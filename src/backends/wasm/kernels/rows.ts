import { sizeOf } from '../../../shape/shape.js'
import { codeOf, expectShape, operand, optionalOperand, type Implementation } from './implementation.js'
import { activationCodes, CHANNEL_BLOCK, PLACES } from './native.js'

const BYTES = 4

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

/**
 * activation((x − mean) / √(variance + epsilon) · gamma + beta) for x `[images, ..., C]`, mean and variance being those of an
 * image's places and the channels of one of `numGroups` groups; gamma and beta `[C]`.
 */
export const groupNorm: Implementation = (kernels, inputs, { numGroups, epsilon, activation }) => {
  const name = 'VitrailGroupNorm'
  const [x, gamma, beta] = [operand(name, inputs, 'x'), operand(name, inputs, 'gamma'), operand(name, inputs, 'beta')]
  const [images = 0, channels = 0, groups] = [x.shape[0], x.shape.at(-1), Number(numGroups)]
  if (x.shape.length < 2 || channels % groups !== 0) throw new Error(`${name}: x must be images with channels for ${groups} groups`)
  for (const [key, given] of [['gamma', gamma], ['beta', beta]] as const) expectShape(name, key, given, [channels])
  const code = codeOf(name, activationCodes, activation)
  const places = sizeOf(x.shape.slice(1, -1))
  const moments = kernels.scratch(images * 2 * channels * BYTES, kernels.native.groupNormScratchBytes(channels))
  const y = kernels.output(x.shape)
  if (sizeOf(x.shape) === 0) return y
  const [from, size] = [kernels.address(x), images * places * channels]
  kernels.run('channelMoments', images * Math.ceil(channels / CHANNEL_BLOCK), size / 4, from, moments, places, channels)
  kernels.run('groupNorm', images * Math.ceil(places / PLACES), size / 4, from, moments, kernels.address(gamma), kernels.address(beta), kernels.address(y), places, channels, groups, Number(epsilon), code)
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
