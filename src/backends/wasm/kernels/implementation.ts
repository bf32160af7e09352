import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Kernels } from './kernels.js'
import { showShape } from './axes.js'

/** The tensors a kernel was called with, by name. */
export type Inputs = Readonly<Record<string, TensorInfo | undefined>>

/** The attributes a kernel was called with, by name. */
export type Attributes = Readonly<Record<string, unknown>>

/**
 * One kernel: checks its operands, then allocates (scratch first, so that nothing leaks where it fails, then the
 * output), and only then reads addresses.
 */
export type Implementation = (kernels: Kernels, inputs: Inputs, attrs: Attributes) => TensorInfo

/** A float32 operand that must be there. */
export const operand = (kernel: string, inputs: Inputs, name: string): TensorInfo => {
  const tensor = optionalOperand(kernel, inputs, name)
  if (tensor === undefined) throw new Error(`${kernel}: the input ${name} is missing`)
  return tensor
}

/** A float32 operand that may be absent (undefined or null). */
export const optionalOperand = (kernel: string, inputs: Inputs, name: string): TensorInfo | undefined => {
  const tensor = inputs[name] ?? undefined
  if (tensor !== undefined && tensor.dtype !== 'float32') {
    throw new Error(`${kernel}: ${name} must be float32, but is ${tensor.dtype}`)
  }
  return tensor
}

/** Refuses an operand whose shape is not the one expected. */
export const expectShape = (kernel: string, name: string, tensor: TensorInfo, expected: readonly number[]): void => {
  if (tensor.shape.length !== expected.length || tensor.shape.some((n, axis) => n !== expected[axis])) {
    throw new Error(`${kernel}: ${name} must be ${showShape(expected)}, but is ${showShape(tensor.shape)}`)
  }
}

/** The number that stands for a name in the C source; throws for a name that has none. */
export const codeOf = (kernel: string, codes: Readonly<Record<string, number>>, name: unknown): number => {
  const code = typeof name === 'string' && Object.hasOwn(codes, name) ? codes[name] : undefined
  if (code === undefined) throw new Error(`${kernel}: no function ${String(name)}; there are ${Object.keys(codes).join(', ')}`)
  return code
}
