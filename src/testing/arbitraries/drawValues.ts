import type { InputSpec } from '../../layers/core/model.js'
import { sizeOf } from '../../shape/shape.js'
import type { Choices } from './choices.js'
import type { Feed } from '../laws/core/feeds.js'

/**
 * Kinds of values. `ordinary`: in [−1, 1); `large`: about ±10⁴; `denormals`: below 2⁻¹²⁶; `constantRows`: each row one
 * number, so that its variance is 0; `sparse`: mostly zeros; `mixed`: ordinary ones among all of these.
 */
export type ValueKind = 'ordinary' | 'zeros' | 'denormals' | 'large' | 'constantRows' | 'sparse' | 'mixed'

/** All kinds of values, ordinary ones first. */
export const valueKinds: readonly ValueKind[] = ['ordinary', 'zeros', 'denormals', 'large', 'constantRows', 'sparse', 'mixed']

const smallest = 2 ** -149

const draw = (choices: Choices, kind: ValueKind): number => {
  switch (kind) {
    case 'zeros':
      return choices.chance(0.5) ? 0 : -0
    case 'denormals':
      return smallest * (1 + choices.below(1000)) * (choices.chance(0.5) ? 1 : -1)
    case 'large':
      return 1e4 * choices.number()
    case 'sparse':
      return choices.chance(0.85) ? 0 : choices.number()
    case 'mixed':
      return draw(choices, choices.pick(['ordinary', 'ordinary', 'ordinary', 'zeros', 'denormals', 'large']))
    default:
      return choices.number()
  }
}

/** Values of one kind; `rowLength` is what a row of `constantRows` has. */
export const drawValues = (choices: Choices, count: number, kind: ValueKind = 'ordinary', rowLength = count): Float32Array => {
  let held = 0
  return Float32Array.from({ length: count }, (_, i) => {
    if (kind !== 'constantRows') return draw(choices, kind)
    if (i % rowLength === 0) held = choices.number()
    return held
  })
}

/** Options of {@link drawSignal}. */
export interface SignalOptions {
  /** Samples, one after the other (default 1). */
  readonly batch?: number
  /** Default `ordinary`. */
  readonly kind?: ValueKind
  /** Whole numbers are below this (default 7, which every generated `embedding` knows). */
  readonly below?: number
}

/** Values for an input, as a program takes them. */
export const drawSignal = (choices: Choices, spec: InputSpec, options: SignalOptions = {}): Feed => {
  const { batch = 1, kind = 'ordinary', below = 7 } = options
  if ('fields' in spec) return Object.fromEntries(Object.entries(spec.fields).map(([name, field]) => [name, drawSignal(choices, field, options)]))
  const count = batch * sizeOf(spec.shape)
  return spec.dtype === 'int32' ? Int32Array.from({ length: count }, () => choices.below(below)) : drawValues(choices, count, kind, spec.shape.at(-1) ?? 1)
}
