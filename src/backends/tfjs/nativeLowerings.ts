import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Lowerings } from './lowering.js'
import { lowerings } from './lowerings.js'
import type { Workspace } from './workspace.js'

/** `xⁿ` for a whole `n` from 0, by squaring. */
const wholePower = (w: Workspace, x: TensorInfo, n: number): TensorInfo => {
  if (n === 0) return w.call('Add', { a: w.call('Multiply', { a: x, b: w.scalar(0) }), b: w.scalar(1) })
  if (n === 1) return w.call('Add', { a: x, b: w.scalar(0) })
  const half = wholePower(w, x, Math.floor(n / 2))
  const square = w.call('Multiply', { a: half, b: half })
  return n % 2 === 0 ? square : w.call('Multiply', { a: square, b: x })
}

const power = (w: Workspace, x: TensorInfo, exponent: number): TensorInfo => {
  // e^(p log x) is NaN for a negative x, as it should be.
  if (!Number.isInteger(exponent)) return w.call('Exp', { x: w.call('Multiply', { a: w.call('Log', { x }), b: w.scalar(exponent) }) })
  const whole = wholePower(w, x, Math.abs(exponent))
  return exponent < 0 ? w.call('RealDiv', { a: w.scalar(1), b: whole }) : whole
}

/** The lowerings on TensorFlow's own library, two of whose kernels call the engine and so take only its tensors. */
export const nativeLowerings: Lowerings = {
  ...lowerings,
  step: [{ needs: ['Sign', 'Relu'], run: (w, [x]) => w.call('Sign', { x: w.call('Relu', { x }) }) }],
  power: [{ needs: ['Multiply', 'Add', 'RealDiv', 'Exp', 'Log'], run: (w, [x], { attributes: { exponent } }) => power(w, x!, exponent) }],
}
