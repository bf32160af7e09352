import { sizeOf } from '../../../shape/shape.js'
import { showShape } from './axes.js'
import { operand, type Implementation } from './implementation.js'
import { binaryCodes, RUN, unaryCodes } from './native.js'

const BYTES = 4

/** How broadcasting repeats an operand: element i of the whole is `x[⌊i / (inner·near·apart)⌋ mod far · near + ⌊i / inner⌋ mod near]`. */
export interface Repeats {
  readonly inner: number
  readonly near: number
  readonly apart: number
  readonly far: number
}

/**
 * How an operand of some shape is repeated over the whole, shapes of equal rank; undefined where its axes of size 1 lie
 * between others in more places than the kernel can follow.
 *
 * @example
 * repeatsOf([2, 1, 4], [2, 3, 4]) // { inner: 1, near: 4, apart: 3, far: 2 }
 */
export const repeatsOf = (own: readonly number[], whole: readonly number[]): Repeats | undefined => {
  // Runs of axes that are there, and of axes that are repeated, from the innermost on.
  const runs = [1, 1, 1, 1, 1]
  let at = 0
  for (let axis = whole.length - 1; axis >= 0; axis--) {
    const [size, n] = [own[axis] ?? 1, whole[axis] ?? 1]
    if (n === 1) continue
    if ((size === 1) !== (at % 2 === 0)) at++
    if (at >= runs.length) return undefined
    runs[at] = (runs[at] ?? 1) * n
  }
  const [inner, near, apart, far] = runs as [number, number, number, number, number]
  return { inner, near, apart, far }
}

/** The numbers of steps in `native/elementwise.h`. */
const UNARY = 16
const codes: Readonly<Record<string, number>> = { ...binaryCodes, ...Object.fromEntries(Object.entries(unaryCodes).map(([name, code]) => [name, UNARY + code])) }

interface Step {
  readonly op: string
  readonly of: readonly number[]
}

/** Steps as the kernel reads them, kept as long as the steps are: those of a model are the same at every run. */
const programs = new WeakMap<readonly Step[], { readonly operands: number; readonly ints: readonly number[] }>()
const programOf = (name: string, steps: readonly Step[], operands: number): readonly number[] => {
  const known = programs.get(steps)
  if (known?.operands === operands) return known.ints
  const ints = steps.flatMap(({ op, of }, at) => {
    const code = codes[op]
    if (code === undefined || of.length === 0 || of.some(i => !(i >= 0 && i < operands + at))) throw new Error(`${name}: step ${at} (${op}) is none, or has operands that are not there`)
    return [code, of[0] ?? 0, of[1] ?? of[0] ?? 0]
  })
  programs.set(steps, { operands, ints })
  return ints
}

/**
 * Steps over operands `0`, `1`, … in one pass: each names its op and one or two operands, which are inputs by their place
 * or, counted on from there, earlier steps. Inputs have the rank of `shape` and broadcast to it: `shape`.
 */
export const elementwise: Implementation = (kernels, inputs, attrs) => {
  const name = 'VitrailElementwise'
  const [steps, shape] = [attrs.steps as readonly Step[], attrs.shape as readonly number[]]
  const operands = Object.keys(inputs).map(key => operand(name, inputs, key))
  const repeats = operands.map(x => {
    const found = x.shape.length === shape.length && x.shape.every((n, axis) => n === 1 || n === shape[axis]) ? repeatsOf(x.shape, shape) : undefined
    if (found === undefined) throw new Error(`${name}: ${showShape(x.shape)} does not repeat over ${showShape(shape)}`)
    return found
  })
  const program = programOf(name, steps, operands.length)
  const size = sizeOf(shape)
  const plan = kernels.scratch((3 + 5 * operands.length + program.length) * BYTES, kernels.native.elementwiseScratchBytes(operands.length, steps.length))
  const out = kernels.output(shape)
  if (size === 0) return out
  const ints = [size, operands.length, steps.length]
  operands.forEach((x, i) => {
    const { inner, near, apart, far } = repeats[i]!
    ints.push(kernels.address(x), inner, near, apart, far)
  })
  ints.push(...program)
  kernels.writeInts(plan, ints)
  kernels.run('elementwise', Math.ceil(size / RUN), (size * (operands.length + steps.length)) / 4, plan, kernels.address(out))
  return out
}
