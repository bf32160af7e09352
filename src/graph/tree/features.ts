import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { expose, type Expose, type ExposePaths } from '../../layers/expose.js'
import type { AnyLayer, ShapeFunctionOf } from '../../layers/core/layer.js'
import { isModel, model, type AnyModel, type MadeOf, type Model } from '../../layers/core/model.js'
import { problem, type Problem } from '../../shape/problem.js'
import type { SomeSignal } from '../../shape/shape.js'
import type { Apply } from '../../shape/shapeFunction.js'
import { trace } from '../trace.js'
import { asOne } from './asOne.js'

/** Inner outputs to give: a list of paths, or paths by the names of fields. */
export type FeaturePaths = readonly string[] | ExposePaths

/** A model, or a recipe that has one. */
export type HasModel = AnyModel | { readonly model: AnyModel }

/** The model itself. */
export const modelOf = (subject: HasModel): AnyModel => (isModel(subject) ? subject : (subject as { readonly model: AnyModel }).model) as AnyModel

type ModelIn<M extends HasModel> = M extends { readonly model: infer Inner } ? Inner : M

/** What `features` gives of a model: exact where its layers are known to the compiler, and any signal elsewhere. */
export type FeaturesOf<M, P extends FeaturePaths> = M extends Model<infer I, unknown>
  ? AnyLayer extends LayerIn<M> ? { readonly [K in keyof ByName<P>]: SomeSignal } : Apply<Expose<ShapeFunctionOf<LayerIn<M>>, ByName<P>>, I>
  : never
type LayerIn<M> = M extends MadeOf<infer L> ? L : AnyLayer
type ByName<P extends FeaturePaths> = P extends readonly string[] ? { readonly [Path in P[number]]: Path } : P
type TakenBy<M> = M extends Model<infer I, unknown> ? I : never

/**
 * The model that gives inner outputs in place of its own: a record of what is at some paths (or taps), all from one run.
 * `Model<I, S> → Model<I, { path: [...] }>`. Parameters keep their names, so its weights are those of the model, and
 * what no path needs is not computed. The empty path is the model's own output; the weights of an attention are at
 * `blocks.3.attn.weights`. Of a recipe the compiler knows the shapes at paths; where it does not (models put together
 * by `pipe`, taps) a field is any signal, until `expectShape` says more. To have exact types of layers of your own, see
 * `expose`.
 *
 * Errors: those of `trace`; `unknownPath`, with a path that is near; `badName`.
 *
 * @param paths paths as fields (`['blocks.3', 'norm']`), or under names of your own (`{ early: 'blocks.3' }`)
 *
 * @example
 * features(vitTiny, { early: 'blocks.3', seen: 'blocks.11.attn.weights' }) // Either<Problem, Model<[224, 224, 3], { early: [197, 192], seen: [3, 197, 197] }>>
 */
export const features = <const M extends HasModel, const P extends FeaturePaths>(subject: M, paths: P): Either<Problem, Model<TakenBy<ModelIn<M>>, FeaturesOf<ModelIn<M>, P>>> => {
  const m = modelOf(subject)
  const byName = Array.isArray(paths) ? Object.fromEntries((paths as readonly string[]).map(path => [path, path])) : (paths as ExposePaths)
  if (Object.hasOwn(byName, '')) return left(problem('badName', 'features: the output itself needs a name', { remedy: "give paths by names: { output: '' }" }))
  const made = model<TakenBy<ModelIn<M>>, FeaturesOf<ModelIn<M>, P>>(m.input, [expose(asOne(m), byName)])
  const traced = trace(made as unknown as AnyModel)
  // What a path misses is said by the layer that this is made of.
  return traced._tag === 'Left' ? left({ ...traced.left, sentence: traced.left.sentence.replace(/^expose: /, 'features: '), path: traced.left.path.replace(/^expose$/, '') }) : right(made)
}
