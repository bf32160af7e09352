import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { Lowering } from './lowering.js'
import type { Workspace } from './workspace.js'

/** `xⁿ` for a whole `n` from 0, by squaring. */
const wholePower = (w: Workspace, x: TensorInfo, n: number): TensorInfo => {
  if (n === 0) return w.call('Add', { a: w.call('Multiply', { a: x, b: w.scalar(0) }), b: w.scalar(1) })
  if (n === 1) return w.call('Add', { a: x, b: w.scalar(0) })
  const half = wholePower(w, x, Math.floor(n / 2))
  const square = w.call('Multiply', { a: half, b: half })
  return n % 2 === 0 ? square : w.call('Multiply', { a: square, b: x })
}

/** `xᵖ`: as the kernel for it, or as products, or as `e^(p log x)`, which is NaN for a negative `x`, as it should be. */
export const power: readonly Lowering<'power'>[] = [
  { needs: ['Pow'], run: (w, [x], { attributes: { exponent } }) => w.call('Pow', { a: x, b: w.scalar(exponent) }) },
  {
    needs: ['Multiply', 'Add', 'RealDiv'],
    fits: ({ attributes: { exponent } }) => Number.isInteger(exponent),
    run: (w, [x], { attributes: { exponent } }) => {
      const whole = wholePower(w, x!, Math.abs(exponent))
      return exponent < 0 ? w.call('RealDiv', { a: w.scalar(1), b: whole }) : whole
    },
  },
  { needs: ['Multiply', 'Exp', 'Log'], run: (w, [x], { attributes: { exponent } }) => w.call('Exp', { x: w.call('Multiply', { a: w.call('Log', { x }), b: w.scalar(exponent) }) }) },
]
