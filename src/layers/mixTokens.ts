import { add, batchReverse, multiply, reshape, scalar, subtract } from '../ops/ops.js'
import { isTensor, type Signal, type Tensor } from '../ops/tensor.js'
import type { Agree } from '../shape/agree.js'
import { problem } from '../shape/problem.js'
import { type Integers, sameShape, type Shape, show, type Show, type SignalShape } from '../shape/shape.js'
import { type AnyShapeError, type Expects, misfit, type Misfit } from '../shape/shapeError.js'
import type { Apply, ShapeFunction } from '../shape/shapeFunction.js'
import { type Arguments, choice, type Takes } from './core/choice.js'
import { type IfFields, lacksFields } from './core/fields.js'
import { type AnyLayer, defineLayer, type Layer, type ShapeFunctionOf } from './core/layer.js'
import { firstOf } from './core/preconditions.js'
import { Refusal, refuse } from './core/refuse.js'

/** Options of {@link mixTokens}. */
export interface MixTokensConfig<R extends string> {
  /** The output that has something for every token, `[tokens, ...]`, and gets back what was given away (default: none). */
  readonly restore?: R
}

/** The shape function of {@link mixTokens}. */
export interface MixTokens<F extends ShapeFunction, R extends string> extends ShapeFunction {
  readonly out: IfFields<this['in'], 'mixTokens', readonly ['x', 'inside'], Mixed<F, R, Get<this['in'], 'x'>, Get<this['in'], 'inside'>>>
}
type Get<S, N extends string> = S[N & keyof S]
type Mixed<F extends ShapeFunction, R extends string, X, B> = X extends readonly [infer H extends number, infer W extends number, number]
  ? B extends Shape
    ? [Agree<B, readonly [H, W]>] extends [never] ? Misfit<'boxDiffers', { height: H; width: W; shape: Show<B> }, 'mixTokens'> : Named<Apply<F, X>, R, B>
    : Expects<'expectsTensor', 'mixTokens', B>
  : Expects<'expectsImage', 'mixTokens', X>
type Named<O, R extends string, B> = O extends AnyShapeError ? O : Fields<O> extends infer A ? ([R] extends [keyof A] ? { readonly [K in keyof A | 'inside']: K extends 'inside' ? B : A[K & keyof A] } : Misfit<'noSuchField', { layer: 'mixTokens'; field: R }, 'mixTokens'>) : never
/** What the layer inside gives, by name. */
type Fields<O> = O extends Shape | Integers ? { readonly output: O } : O

/**
 * MixToken (Jiang et al., 2021, "All Tokens Matter", section 3.3): in training a layer sees a map of tokens of which a box
 * comes from another sample, the one at its place from the end of the batch; what it gives for those tokens goes back to
 * where they came from. In inference nothing is mixed.
 *
 * `{ x: [height, width, dim], inside: [height, width] } → { ...what the layer gives, inside }`; `inside` is 1 in the box,
 * which all samples share, and 0 outside (`mixing.boxMask`). Where the layer gives one tensor, it is called `output`.
 * Errors: `expectsRecord`, `noSuchField`, `expectsImage`, `expectsTensor`, `boxDiffers`, `notOfTokens`, those of the layer.
 *
 * @example
 * pipe(inputs({ x: input(14, 14, 384), inside: input(14, 14) }), mixTokens(serial(flattenTokens(), fanOut({ tokens: linear(10) })), { restore: 'tokens' })) // Model<{ x: [14, 14, 384], inside: [14, 14] }, { tokens: [196, 10], inside: [14, 14] }>
 */
export const mixTokens = <L extends AnyLayer, const R extends string = never>(layer: L, config: MixTokensConfig<R> = {}): Layer<MixTokens<ShapeFunctionOf<L>, R>> => {
  const { restore } = config
  return defineLayer<MixTokens<ShapeFunctionOf<L>, R>, { readonly x: Tensor; readonly inside: Tensor }, SignalShape>('mixTokens', mixTokens, [layer, config], {
    config: { restore },
    accepts: 'record',
    check: shape => firstOf(() => lacksFields('mixTokens', shape, ['x', 'inside']), () => fit((shape as Record<string, SignalShape>)['x']!, (shape as Record<string, SignalShape>)['inside']!)),
    forward: ({ x, inside }, { apply, mode }) => {
      const [height, width] = x.shape as readonly [number, number, number]
      const exchanged = (map: Tensor): Tensor => {
        const box = reshape(inside, [height, width, ...map.shape.slice(2).map(() => 1)])
        return mode === 'training' ? add(multiply(map, subtract(scalar(1), box)), multiply(batchReverse(map), box)) : map
      }
      const given = apply(layer, exchanged(x))
      const outputs: Readonly<Record<string, Signal>> = isTensor(given) ? { output: given } : given
      if (restore === undefined) return { ...outputs, inside }
      if (!Object.hasOwn(outputs, restore)) return refuse('noSuchField', { layer: 'mixTokens', field: restore })
      const tokens = outputs[restore]!
      if (!isTensor(tokens) || tokens.shape[0] !== height * width) throw new Refusal(problem('notOfTokens', `mixTokens: '${restore}' must have something for each of the ${height * width} tokens of the ${height}×${width} map`))
      return { ...outputs, [restore]: reshape(exchanged(reshape(tokens, [height, width, ...tokens.shape.slice(1)])), tokens.shape), inside }
    },
  })
}

/** What generators may give {@link mixTokens}. */
export const mixTokensArguments: Arguments = [choice.layer()]

/** The record that {@link mixTokens} takes. */
export const mixTokensTakes: Takes = { x: ['h', 'w', 'c'], inside: ['h', 'w'] }

const fit = (x: SignalShape, inside: SignalShape) => {
  const isTensorShape = (shape: SignalShape): shape is Shape => Array.isArray(shape)
  if (!isTensorShape(x) || x.length !== 3) return misfit('expectsImage', { layer: 'mixTokens', shape: show(x) })
  if (!isTensorShape(inside)) return misfit('expectsTensor', { layer: 'mixTokens', shape: show(inside) })
  return sameShape(inside, x.slice(0, 2)) ? undefined : misfit('boxDiffers', { height: x[0]!, width: x[1]!, shape: show(inside) })
}
