import type { Signal } from '../ops/tensor.js'
import { problem, type Problem } from '../shape/problem.js'
import type { SignalShape, SomeSignal } from '../shape/shape.js'
import type { AnyShapeError } from '../shape/shapeError.js'
import type { Apply, ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice } from './core/choice.js'
import type { InnerHere } from './core/inner.js'
import { type AnyLayer, defineLayer, type Layer, type ShapeFunctionOf } from './core/layer.js'

/** Paths inside a layer, by the names of the fields that are to hold what is there. */
export type ExposePaths = Readonly<Record<string, string>>

/** The shape function of {@link expose}. */
export interface Expose<F extends ShapeFunction, P extends ExposePaths> extends ShapeFunction {
  readonly out: unknown extends this['in'] ? unknown : Apply<F, this['in']> extends infer O ? (O extends AnyShapeError ? O : { readonly [K in keyof P]: P[K] extends '' ? O : OrSome<InnerHere<F, this['in'], P[K]>> }) : never
}
/** What the compiler does not know of a path is left open: any signal; `expectShape` states what it is. */
type OrSome<O> = [O] extends [never] ? SomeSignal : O extends AnyShapeError ? SomeSignal : O

/**
 * Runs a layer and gives inner outputs of it in place of its own: a record of what is at some paths, or taps, inside.
 * `[...] → { name: [...] }`. The empty path is the layer's own output. Parameters stay where they are, and what no
 * field needs is not computed. The compiler knows the shapes at paths through `named`, `repeat`, `stages`, `serial` and
 * the like, and in encoder blocks (`blocks.3.attn`); elsewhere (taps) a field is any signal, until `expectShape` says more.
 *
 * Errors: `unknownPath`, with a path that is near; `badName`; those of the layer.
 *
 * @example
 * pipe(input(197, 192), expose(repeat(12, encoderBlock({ numHeads: 3 })), { early: 'blocks.2', attention: 'blocks.11.attn.weights' })) // Model<[197, 192], { early: [197, 192], attention: [3, 197, 197] }>
 */
export const expose = <L extends AnyLayer, const P extends ExposePaths>(layer: L, paths: P): Layer<Expose<ShapeFunctionOf<L>, P>> =>
  defineLayer<Expose<ShapeFunctionOf<L>, P>, Signal, SignalShape>('expose', expose, [layer, paths], {
    config: paths,
    accepts: 'any',
    check: () => badPaths(paths),
    traits: { shares: 'what no field asks for is left over' },
    forward: (x, context) => context.expose(layer, x, paths),
  })

/** What generators may give {@link expose}: what paths there are depends on the layer, but for its own output. */
export const exposeArguments: Arguments = [choice.layer(), choice.among({ whole: '' })]

const badPaths = (paths: unknown): Problem | undefined => {
  if (typeof paths !== 'object' || paths === null || Array.isArray(paths) || Object.keys(paths).length === 0) return problem('badName', 'expose: expects paths by the names of fields, { name: path }')
  const [name, path] = Object.entries(paths).find(([field, given]) => field === '' || field === 'integers' || typeof given !== 'string') ?? []
  return name === undefined ? undefined : problem('badName', typeof path === 'string' ? `expose: no field can be called '${name}'` : `expose: ${name} must be a path, got ${String(path)}`)
}
