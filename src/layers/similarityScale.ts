import { divide, exp, minimum, scalar } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import type { Problem } from '../shape/problem.js'
import { type Shape, show, type Show, type SignalShape } from '../shape/shape.js'
import { misfit, type Expects, type Misfit } from '../shape/shapeError.js'
import type { ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice, type Takes } from './core/choice.js'
import { type IfFields, lacksFields } from './core/fields.js'
import { defineLayer, type Layer } from './core/layer.js'
import { amounts, firstOf, oneOf } from './core/preconditions.js'

/** Options of {@link similarityScale}. */
export interface SimilarityScaleConfig {
  /** Whether the logarithm of the scale is learned, as in CLIP, or its inverse, the temperature, as in ALIGN (default `logarithm`). */
  readonly learned?: 'logarithm' | 'temperature'
  /** The scale at first (default 1/0.07 for a logarithm, 1 for a temperature). */
  readonly initial?: number
  /** The largest scale in training (default 100). */
  readonly largest?: number
}

/** The shape function of {@link similarityScale}. */
export interface SimilarityScale extends ShapeFunction {
  readonly out: IfFields<this['in'], 'similarityScale', readonly ['image_features', 'text_features'], Scaled<this['in']>>
}
type Scaled<S> = S extends { readonly image_features: infer A; readonly text_features: infer B }
  ? A extends readonly [infer D extends number]
    ? B extends readonly [infer E extends number]
      ? number extends D | E ? WithScale<S> : D extends E ? WithScale<S> : Misfit<'towersDiffer', { image: Show<readonly [D]>; text: Show<readonly [E]> }, 'similarityScale'>
      : Expects<'expectsFeatures', 'similarityScale', B>
    : Expects<'expectsFeatures', 'similarityScale', A>
  : never
type WithScale<S> = { readonly [K in keyof S | 'scale']: K extends keyof S ? S[K] : readonly [] }

/**
 * The learned number by which cosines of images and texts are multiplied, beside their features (Radford et al., 2021,
 * CLIP, section 2.4; Jia et al., 2021, ALIGN, section 4.2). `{ image_features: [dim], text_features: [dim] } →
 * { image_features: [dim], text_features: [dim], scale: [] }`; `losses.contrastive` and `losses.similarities` take all three.
 *
 * Parameter: `logit_scale`, or for a temperature `temperature`, one number. Errors: `expectsRecord`, `noSuchField`,
 * `expectsFeatures`, `towersDiffer`, `notAnAmount`, `unknownOption`.
 *
 * @example
 * pipe(inputs({ image_features: input(512), text_features: input(512) }), similarityScale()) // Model<{ image_features: [512], text_features: [512] }, { image_features: [512], text_features: [512], scale: [] }>
 */
export const similarityScale = (config: SimilarityScaleConfig = {}): Layer<SimilarityScale> => {
  const { learned = 'logarithm', initial = learned === 'temperature' ? 1 : 1 / 0.07, largest = 100 } = config
  const name = learned === 'temperature' ? 'temperature' : 'logit_scale'
  return defineLayer<SimilarityScale, Readonly<Record<'image_features' | 'text_features', Tensor>>, SignalShape>('similarityScale', similarityScale, [config], {
    config: { learned, initial, largest },
    accepts: 'record',
    check: shape =>
      firstOf(
        () => oneOf('similarityScale', 'learned', learned, ['logarithm', 'temperature']),
        () => amounts('similarityScale', { initial, largest }),
        () => lacksFields('similarityScale', shape, ['image_features', 'text_features']),
        () => fit(shape as Readonly<Record<'image_features' | 'text_features', SignalShape>>),
      ),
    parameters: () => ({ [name]: { shape: [], initialiser: { kind: 'constant', value: learned === 'temperature' ? 1 / initial : Math.log(initial) } } }),
    forward: (record, { parameters, mode }) => {
      const scale = learned === 'temperature' ? divide(scalar(1), parameters[name]!) : exp(parameters[name]!)
      return { ...record, scale: mode === 'training' ? minimum(scale, scalar(largest)) : scale }
    },
  })
}

/** What generators may give {@link similarityScale}. */
export const similarityScaleArguments: Arguments = [choice.options({}, { learned: choice.among('logarithm', 'temperature'), initial: choice.among(1, 10), largest: choice.among(50, 100) })]
/** The record that {@link similarityScale} takes. */
export const similarityScaleTakes: Takes = { image_features: ['c'], text_features: ['c'] }

const isFeatures = (shape: SignalShape): shape is Shape => Array.isArray(shape) && shape.length === 1

const fit = ({ image_features: image, text_features: text }: Readonly<Record<'image_features' | 'text_features', SignalShape>>): Problem | undefined => {
  const odd = [image, text].find(shape => !isFeatures(shape))
  if (odd !== undefined) return misfit('expectsFeatures', { layer: 'similarityScale', shape: show(odd) })
  return (image as Shape)[0] === (text as Shape)[0] ? undefined : misfit('towersDiffer', { image: show(image), text: show(text) })
}
