import { add } from '../ops/ops.js'
import type { Tensor } from '../ops/tensor.js'
import { agree, type Agree } from '../shape/agree.js'
import type { Problem } from '../shape/problem.js'
import { type Shape, show, type Show, type SignalShape } from '../shape/shape.js'
import { type AnyShapeError, misfit, type Misfit } from '../shape/shapeError.js'
import type { Apply, ShapeFunction } from '../shape/shapeFunction.js'
import { type Activation, activationNames, activations } from './core/activation.js'
import { type Arguments, choice, type Takes } from './core/choice.js'
import { type IfFields, lacksFields } from './core/fields.js'
import { type AnyLayer, defineLayer, type Layer } from './core/layer.js'
import { amounts, firstOf, oneOf, rates, sizes } from './core/preconditions.js'
import { attends, crossAttention, type TokensAttend } from './crossAttention.js'
import { dropout as dropElements } from './dropout.js'
import { layerNorm } from './layerNorm.js'
import { linear } from './linear.js'
import { splitsIntoHeads } from './selfAttention.js'

/** Options of {@link decoderBlock}. */
export interface DecoderBlockConfig<H extends number> {
  readonly numHeads: H
  /** Hidden channels of the MLP as a multiple of `dim` (default 4); or `hiddenDim` of them. */
  readonly mlpRatio?: number
  readonly hiddenDim?: number
  readonly activation?: Activation
  /** `pre`: x + f(norm(x)); `post`: norm(x + f(x)), as DETR (default `pre`). */
  readonly normPlacement?: 'pre' | 'post'
  /** Epsilon of the norms (default 1e-6; PyTorch's is 1e-5). */
  readonly epsilon?: number
  /** Rate at which hidden elements and what each branch gives are dropped in training (default 0). */
  readonly dropout?: number
}

/** The shape function of {@link decoderBlock}. */
export interface DecoderBlock<H extends number> extends ShapeFunction {
  readonly out: IfFields<this['in'], 'decoderBlock', readonly ['x', 'memory'], Kept<this['in'], Apply<TokensAttend<H>, Pick<this['in'], 'x' & keyof this['in'] | 'memory' & keyof this['in']>>>>
}
type Kept<S, O> = O extends AnyShapeError ? O
  : Placed<S, 'positions', 'x'> extends infer E extends AnyShapeError ? E
  : Placed<S, 'memoryPositions', 'memory'> extends infer E extends AnyShapeError ? E : S
type Placed<S, P extends string, Of extends string> = S extends { readonly [K in P]: infer T }
  ? [Agree<T, S[Of & keyof S]>] extends [never] ? Misfit<'positionsDiffer', { of: Of; expected: Show<S[Of & keyof S]>; shape: Show<T> }, 'decoderBlock'> : undefined
  : undefined

/**
 * One decoder block: attention among the queries `x`, attention from them to `memory`, an MLP, each in a residual branch
 * (Vaswani et al., 2017, section 3.1). `{ x: [queries, dim], memory: [tokens, dim] } →` the same record, `x` being another.
 * Where the record has `positions [queries, dim]` or `memoryPositions [tokens, dim]`, they are added to what queries and
 * keys are made of, in every attention, and not to values (Carion et al., 2020, "DETR", appendix A.3).
 *
 * Parameters under `block`, as in PyTorch's `nn.TransformerDecoderLayer` and DETR's: `self_attn`, `multihead_attn`,
 * `linear1`, `linear2`, `norm1`, `norm2`, `norm3`. The features `<path>.self_attn.weights [heads, queries, queries]` and
 * `<path>.multihead_attn.weights [heads, queries, tokens]`.
 * Errors: those of `crossAttention`; `positionsDiffer`, `unknownOption`, `notARate`, `notASize`, `notAnAmount`.
 *
 * @example
 * pipe(inputs({ x: input(100, 256), memory: input(196, 256) }), repeat(6, decoderBlock({ numHeads: 8 }))) // Model<{ x: [100, 256], memory: [196, 256] }, { x: [100, 256], memory: [196, 256] }>
 */
export const decoderBlock = <const H extends number>(config: DecoderBlockConfig<H>): Layer<DecoderBlock<H>> => {
  const { numHeads, mlpRatio = 4, hiddenDim, activation = 'gelu', normPlacement = 'pre', epsilon = 1e-6, dropout = 0 } = config
  const hidden = (dim: number): number => hiddenDim ?? Math.floor(dim * mlpRatio)
  return defineLayer<DecoderBlock<H>, Decoding, SignalShape>('decoderBlock', decoderBlock, [config], {
    config: { numHeads, mlpRatio, hiddenDim, activation, normPlacement, epsilon, dropout },
    scope: 'block',
    accepts: 'record',
    check: shape =>
      firstOf(
        () => lacksFields('decoderBlock', shape, ['x', 'memory']),
        () => attends({ x: (shape as Given).x, memory: (shape as Given).memory }),
        () => splitsIntoHeads((shape as Given).x as Shape, numHeads),
        () => placed(shape as Given, 'positions', 'x'),
        () => placed(shape as Given, 'memoryPositions', 'memory'),
        () => sizes('decoderBlock', { 'the number of hidden channels': hidden(((shape as Given).x as Shape)[1]!) }),
        () => oneOf('decoderBlock', 'activation', activation, activationNames),
        () => oneOf('decoderBlock', 'normPlacement', normPlacement, ['pre', 'post']),
        () => amounts('decoderBlock', { epsilon }),
        () => rates('decoderBlock', { dropout }),
      ),
    forward: (record, { apply }) => {
      const { memory, positions, memoryPositions } = record
      const run = (layer: AnyLayer, t: Tensor, scope: string): Tensor => apply(layer, t, scope) as Tensor
      const dropped = (t: Tensor, scope: string): Tensor => (dropout === 0 ? t : run(dropElements(dropout), t, scope))
      const placedAt = (t: Tensor, at: Tensor | undefined): Tensor => (at === undefined ? t : add(t, at))
      const attend = (t: Tensor, to: Tensor, at: Tensor | undefined, scope: string): Tensor =>
        apply(crossAttention({ numHeads }), { x: placedAt(t, positions), memory: to, ...(at === undefined ? {} : { keys: add(to, at) }) }, scope) as Tensor
      const think = (t: Tensor): Tensor => run(linear(t.shape[1]!), dropped(activations[activation](run(linear(hidden(t.shape[1]!)), t, 'linear1')), 'dropout'), 'linear2')
      const branch = (t: Tensor, f: (t: Tensor) => Tensor, i: 1 | 2 | 3): Tensor => {
        const normed = (u: Tensor): Tensor => run(layerNorm({ epsilon }), u, `norm${i}`)
        return normPlacement === 'pre' ? add(t, dropped(f(normed(t)), `dropout${i}`)) : normed(add(t, dropped(f(t), `dropout${i}`)))
      }
      const among = branch(record.x, t => attend(t, t, positions, 'self_attn'), 1)
      return { ...record, x: branch(branch(among, t => attend(t, memory, memoryPositions, 'multihead_attn'), 2), think, 3) }
    },
  })
}

/** What generators may give {@link decoderBlock}. */
export const decoderBlockArguments: Arguments = [
  choice.options({ numHeads: choice.among(1, 2) }, { mlpRatio: choice.among(0.5, 1, 2), hiddenDim: choice.whole(1, 9), activation: choice.among(...activationNames), normPlacement: choice.among('pre', 'post'), epsilon: choice.epsilon, dropout: choice.rate }),
]
/** The record that {@link decoderBlock} takes. */
export const decoderBlockTakes: Takes = { x: ['n', 'c'], memory: ['m', 'c'] }

type Given = Readonly<Record<'x' | 'memory', SignalShape> & Partial<Record<'positions' | 'memoryPositions', SignalShape>>>

/** The signals of a decoder. */
interface Decoding {
  readonly [field: string]: Tensor
  readonly x: Tensor
  readonly memory: Tensor
}

const placed = (shape: Given, name: 'positions' | 'memoryPositions', of: 'x' | 'memory'): Problem | undefined => {
  const given = shape[name]
  return given === undefined || agree(given, shape[of]) ? undefined : misfit('positionsDiffer', { of, expected: show(shape[of]), shape: show(given) })
}
