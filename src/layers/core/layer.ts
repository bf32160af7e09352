import type { Initialiser } from '../../ops/initialiser.js'
import type { ParameterRole, Signal, Tensor } from '../../ops/tensor.js'
import type { Problem } from '../../shape/problem.js'
import type { Shape, SignalShape } from '../../shape/shape.js'
import type { AnyShapeError } from '../../shape/shapeError.js'
import type { Apply, ShapeFunction } from '../../shape/shapeFunction.js'
import type { Freezing } from './freezing.js'
import { model, type Model } from './model.js'
import type { Traits } from './traits.js'

declare const shapeFunction: unique symbol
const isLayerSymbol: unique symbol = Symbol.for('vitrail.layer') as never

/** A weight a layer asks for: its shape as the reference implementation stores it, and how it starts. */
export interface ParameterDeclaration {
  readonly shape: Shape
  readonly initialiser: Initialiser
  /** Whether it is trained (default), frozen, or a running statistic. */
  readonly role?: ParameterRole
}

/** Whether dropout and its kin act. */
export type Mode = 'inference' | 'training'

/** Where a layer inside `windows` runs. */
export interface Window {
  /** Tokens down and across. */
  readonly size: readonly [number, number]
  /** What is added to the scores of attention, `[tokens, tokens]`: −100 between tokens that are not neighbours, else 0. */
  readonly mask?: Tensor
}

/** What tracing hands to a layer's `forward`. */
export interface Context {
  readonly mode: Mode
  /** The layer's own place, dotted: `blocks.3.attn`. Names its random streams. */
  readonly path: string
  /** The weights it declared, as op nodes. */
  readonly parameters: Readonly<Record<string, Extract<Signal, { op: string }>>>
  /** Runs another layer inside this one, under its own scope or the one given. */
  readonly apply: (layer: AnyLayer, x: Signal, scope?: string) => Signal
  /**
   * Runs a layer on every slice of the first axis of `x`, at once: it sees one slice, and the window it is in.
   * `window.mask` holds a mask for each slice. `[count, ...] → [count, ...]`.
   */
  readonly applyToEach: (layer: AnyLayer, x: Tensor, window: Window) => Signal
  /** The window this layer runs in, inside `windows`. */
  readonly window?: Window
  /** Runs a layer while only some tokens count, `[tokens, 1]`: 1 for those that do, 0 for others. Not within windows. */
  readonly applyUnder: (policy: Tensor | undefined, layer: AnyLayer, x: Signal, scope?: string) => Signal
  /** The tokens that count here, inside `decideTokens`: attention takes nothing from others. */
  readonly policy?: Tensor
  /** Runs another layer inside this one, and gives what is at some paths or taps inside it, by name; at the empty path its own output. */
  readonly expose: (layer: AnyLayer, x: Signal, paths: Readonly<Record<string, string>>) => Signal
  /** Runs layers inside this one, each with leading slices of the weights that `whole` would have here: they are its parts. */
  readonly within: (whole: AnyLayer, parts: readonly AnyLayer[], x: Signal) => readonly Signal[]
  /** Makes a signal available under a name (see `tap`), and returns it. */
  readonly record: (name: string, x: Signal) => Signal
  /** Makes available a signal that the layer may do without: it is made once, if the layer or somebody else asks for it. */
  readonly offer: (name: string, make: () => Signal) => () => Signal
}

/** What a layer is made of: plain data, and three functions of a shape. */
export interface Definition {
  /** Its name in sentences and tables: `attention`. */
  readonly label: string
  /** The constructor's name and arguments, from which the layer can be rebuilt, printed or stored. */
  readonly kind: string
  readonly args: readonly unknown[]
  readonly make: (...args: never[]) => AnyLayer
  /** The options with their defaults filled in. */
  readonly config: Readonly<Record<string, unknown>>
  /** Where its parameters live below their parent: `norm`, `patch_embed.proj`, or empty for "with the parent's". */
  readonly scope: string
  /** What it takes; what `check` lets pass and this does not is refused too. */
  readonly accepts: 'tensor' | 'integers' | 'record' | 'any'
  /** Preconditions on what arrives. */
  readonly check: (shape: never, window?: Window) => Problem | undefined
  readonly parameters: (shape: never, window?: Window) => Readonly<Record<string, ParameterDeclaration>>
  readonly forward: (x: never, context: Context) => Signal
  /** What it promises beyond its shape. */
  readonly traits: Traits
  /** What it says of the parameters inside it, innermost first (see `frozen`). */
  readonly freezing: readonly Freezing[]
}

/**
 * Any layer, seen as data. Its shape function sits behind one covariant symbol, from which combinators
 * read it; inferring it through the call signature would be poisoned by the contextual return type.
 */
export interface AnyLayer {
  readonly [shapeFunction]: ShapeFunction
  readonly [isLayerSymbol]: true
  readonly definition: Definition
}

/** The shape function of a layer. */
export type ShapeFunctionOf<L extends AnyLayer> = L[typeof shapeFunction]

/** Nothing where the layer fits; the error where it does not, so that the argument is refused for lack of it. */
type Fits<F extends ShapeFunction, S> = S extends AnyShapeError ? unknown : Apply<F, S> extends infer O ? (O extends AnyShapeError ? O : unknown) : never

/** A layer: frozen data that is also a function from model to model, so that any `pipe` composes it. */
export interface Layer<F extends ShapeFunction> extends AnyLayer {
  readonly [shapeFunction]: F
  <I, S>(model: Model<I, S> & Fits<F, S>): Model<I, Apply<F, S>>
}

/** How one layer is written down: what it does not say has the usual value. */
export interface LayerParts<X extends Signal, S extends SignalShape> {
  readonly label?: string
  readonly config?: Readonly<Record<string, unknown>>
  readonly scope?: string
  readonly accepts?: Definition['accepts']
  readonly check?: (shape: S, window?: Window) => Problem | undefined
  readonly parameters?: (shape: S, window?: Window) => Readonly<Record<string, ParameterDeclaration>>
  readonly forward: (x: X, context: Context) => Signal
  readonly traits?: Traits
  readonly freezing?: readonly Freezing[]
}

/**
 * Makes a layer out of its parts. `F` is its shape function on types, the twin of `check` and `forward`.
 *
 * @param kind the constructor's name
 * @param make the constructor itself, by which the layer can be rebuilt
 * @param args its arguments
 */
export const defineLayer = <F extends ShapeFunction, X extends Signal = Extract<Signal, { op: string }>, S extends SignalShape = Shape>(
  kind: string,
  make: (...args: never[]) => AnyLayer,
  args: readonly unknown[],
  parts: LayerParts<X, S>,
): Layer<F> => {
  const definition: Definition = Object.freeze({
    label: parts.label ?? kind,
    kind,
    args: Object.freeze(args.filter((arg, i) => arg !== undefined || i < args.length - 1)),
    make,
    config: Object.freeze(parts.config ?? {}),
    scope: parts.scope ?? '',
    accepts: parts.accepts ?? 'tensor',
    check: parts.check ?? (() => undefined),
    parameters: parts.parameters ?? (() => ({})),
    forward: parts.forward,
    traits: Object.freeze(parts.traits ?? {}),
    freezing: parts.freezing ?? [],
  })
  const layer = (m: Model<unknown, unknown>) => model(m.input, [...m.layers, layer as unknown as AnyLayer])
  return Object.freeze(Object.assign(layer, { definition, [isLayerSymbol]: true as const })) as unknown as Layer<F>
}

/** Whether a value is a layer. */
export const isLayer = (value: unknown): value is AnyLayer => typeof value === 'function' && (value as unknown as AnyLayer)[isLayerSymbol] === true
