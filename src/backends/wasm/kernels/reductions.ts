import type { TensorInfo } from '@tensorflow/tfjs-core'
import { sizeOf } from '../../../shape/shape.js'
import { operand, type Implementation } from './implementation.js'
import type { Kernels } from './kernels.js'
import { SQUARE_RUN } from './native.js'

const BYTES = 4

/** x `[outer, count, inner]` with its middle axis, some of its own axes, reduced. */
const overRun = (kernels: Kernels, name: string, x: TensorInfo, first: number, end: number, run: (from: number, to: number, outer: number, count: number, inner: number) => void): TensorInfo => {
  if (!(first >= 0 && end >= first && end <= x.shape.length)) throw new Error(`${name}: axes ${first} to ${end} are not among the ${x.shape.length} of x`)
  const [before, reduced, after] = [x.shape.slice(0, first), x.shape.slice(first, end), x.shape.slice(end)]
  const y = kernels.output([...before, ...after])
  run(kernels.address(x), kernels.address(y), sizeOf(before), sizeOf(reduced), sizeOf(after))
  return y
}

/** The sum of x over `count` axes from `axis` on, times `scale`; those axes are dropped. */
export const sumAxes: Implementation = (kernels, inputs, { axis, count, scale = 1 }) => {
  const x = operand('VitrailSum', inputs, 'x')
  return overRun(kernels, 'VitrailSum', x, Number(axis), Number(axis) + Number(count), (from, to, outer, summed, inner) =>
    kernels.run('sumAxis', outer * (inner === 1 ? 1 : Math.ceil(inner / 8)), (outer * summed * inner) / 4, from, to, summed, inner, Number(scale)),
  )
}

/** The sum of the squares of all elements of all inputs: `[1]`. Each run of them is summed apart, so that threads change nothing. */
export const squareSum: Implementation = (kernels, inputs) => {
  const all = Object.keys(inputs).map(key => operand('VitrailSquareSum', inputs, key))
  const sizes = all.map(x => sizeOf(x.shape))
  const units = sizes.reduce((count, size) => count + Math.ceil(size / SQUARE_RUN), 0)
  const elements = sizes.reduce((count, size) => count + size, 0)
  const pieces = kernels.scratch((2 * all.length + units) * BYTES)
  const sums = pieces + 2 * all.length * BYTES
  const y = kernels.output([1])
  kernels.writeInts(pieces, all.flatMap((x, i) => [kernels.address(x), sizes[i]!]))
  kernels.run('squareSums', units, elements / 8, pieces, sums)
  kernels.run('sumAxis', 1, units / 4, sums, kernels.address(y), units, 1, 1)
  return y
}

/** The largest of x over `count` axes from `axis` on; those axes are dropped. */
export const maxAxes: Implementation = (kernels, inputs, { axis, count }) => {
  const x = operand('VitrailMax', inputs, 'x')
  return overRun(kernels, 'VitrailMax', x, Number(axis), Number(axis) + Number(count), (from, to, outer, reduced, inner) =>
    kernels.run('maxAxis', outer * (inner === 1 ? 1 : Math.ceil(inner / 4)), (outer * reduced * inner) / 2, from, to, reduced, inner),
  )
}
