import type { Signal } from '../ops/tensor.js'
import type { SignalShape } from '../shape/shape.js'
import type { AnyShapeError } from '../shape/shapeError.js'
import type { Apply, ShapeFunction } from '../shape/shapeFunction.js'
import type { Under } from '../shape/under.js'
import { type Arguments, choice } from './core/choice.js'
import type { InnerUnder } from './core/inner.js'
import { type AnyLayer, defineLayer, type Layer, type ShapeFunctionOf } from './core/layer.js'

/** The shape function of {@link stages}. */
export interface Stages<Ls extends readonly AnyLayer[]> extends ShapeFunction {
  readonly scope: 'stages'
  readonly out: Walk<Ls, this['in']>
  readonly path: string
  readonly inner: InnerOfStages<Ls, this['in'], this['path']>
}
type InnerOfStages<Ls extends readonly AnyLayer[], S, P, Done extends readonly 0[] = []> = Ls extends readonly [infer L extends AnyLayer, ...infer Rest extends readonly AnyLayer[]]
  ? InnerUnder<`${Done['length']}`, ShapeFunctionOf<L>, S, P> extends infer O ? ([O] extends [never] ? InnerOfStages<Rest, Apply<ShapeFunctionOf<L>, S>, P, [...Done, 0]> : O) : never
  : never
type Walk<Ls extends readonly AnyLayer[], S, Done extends readonly 0[] = []> = Ls extends readonly [infer L extends AnyLayer, ...infer Rest extends readonly AnyLayer[]]
  ? Under<`stages.${Done['length']}`, ShapeFunctionOf<L>, S> extends infer O ? (O extends AnyShapeError ? O : Walk<Rest, O, [...Done, 0]>) : never
  : S

/**
 * The stages of a hierarchical model, in order (what the first takes → what the last gives), under `stages.0`,
 * `stages.1` and so on, where their outputs can be asked for. Errors: those of the stages.
 *
 * @example
 * pipe(input(56, 56, 96), stages(conv2d({ dim: 192, kernelSize: 2, stride: 2 }), conv2d({ dim: 384, kernelSize: 2, stride: 2 }))) // Model<[56, 56, 96], [14, 14, 384]>
 */
export const stages = <const Ls extends readonly AnyLayer[]>(...layers: Ls): Layer<Stages<Ls>> =>
  defineLayer<Stages<Ls>, Signal, SignalShape>('stages', stages, layers, {
    scope: 'stages',
    accepts: 'any',
    forward: (x, { apply }) => layers.reduce((signal, layer, i) => apply(layer, signal, String(i)), x),
  })

/** What generators may give {@link stages}. */
export const stagesArguments: Arguments = [choice.layers]
