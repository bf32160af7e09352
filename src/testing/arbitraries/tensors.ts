import { Arbitrary, Stream, Value, type Random } from 'fast-check'
import type { InputSpec } from '../../layers/core/model.js'
import { type Shape } from '../../shape/shape.js'
import { choicesFrom } from './choices.js'
import type { Feed } from '../laws/core/feeds.js'
import { drawSignal, valueKinds, type ValueKind } from './drawValues.js'

/** Options of {@link tensorsOf} and {@link signalsOf}. */
export interface TensorOptions {
  /** Samples, one after the other (default 1). */
  readonly batch?: number
  /** What values to draw (default: all kinds, hostile ones too). */
  readonly kinds?: readonly ValueKind[]
  /** Whole numbers are below this (default 7). */
  readonly below?: number
}

/**
 * Values for tensors of one shape: ordinary ones, zeros, denormals, large ones and constant rows. A failing tensor
 * shrinks to one with more zeros and rounder numbers in it.
 *
 * @example
 * fc.sample(tensorsOf([2, 3], { batch: 4 }), 1)[0].length // 24
 */
export const tensorsOf = (shape: Shape, options: TensorOptions = {}): Arbitrary<Float32Array> => signalsOf({ shape, dtype: 'float32' }, options) as Arbitrary<Float32Array>

/**
 * Values for a model's input, as `program.run` takes them: an array, or a record of arrays.
 *
 * @example
 * fc.sample(signalsOf(integerInput(5).input), 1)[0].length // 5
 */
export const signalsOf = (input: InputSpec, options: TensorOptions = {}): Arbitrary<Feed> => new Signals(input, options)

class Signals extends Arbitrary<Feed> {
  constructor(private readonly input: InputSpec, private readonly options: TensorOptions) {
    super()
  }

  override generate(random: Random): Value<Feed> {
    const choices = choicesFrom(() => random.nextInt(0, 2 ** 32 - 1))
    const { kinds = valueKinds, ...rest } = this.options
    return new Value(drawSignal(choices, this.input, { ...rest, kind: choices.pick(kinds) }), undefined)
  }

  override canShrinkWithoutContext(value: unknown): value is Feed {
    return typeof value === 'object' && value !== null
  }

  override shrink(value: Feed): Stream<Value<Feed>> {
    return new Stream(simpler(value)).map(one => new Value(one, undefined))
  }
}

/** Halves of an array made zero, then numbers rounded; fields of a record one after the other. */
function* simpler(value: Feed): Generator<Feed> {
  if (!ArrayBuffer.isView(value)) {
    for (const [name, field] of Object.entries(value)) for (const one of simpler(field)) yield { ...value, [name]: one }
    return
  }
  for (let size = value.length; size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < value.length; from += size) {
      if (value.subarray(from, from + size).every(v => Object.is(v, 0))) continue
      const zeroed = value.slice()
      zeroed.fill(0, from, from + size)
      yield zeroed
    }
  }
  const rounded = value.map(v => Math.sign(v) * Math.ceil(Math.abs(v)))
  if (rounded.some((v, i) => v !== value[i])) yield rounded
}
