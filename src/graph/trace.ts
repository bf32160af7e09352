import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { idlePath, isFrozen, type Freezing } from '../layers/core/freezing.js'
import { isLayer, type AnyLayer, type Mode, type Window } from '../layers/core/layer.js'
import type { AnyModel, InputSpec, Model } from '../layers/core/model.js'
import { unknownPath } from '../layers/core/pathPattern.js'
import { leadingSlice } from '../layers/core/leadingSlice.js'
import { accepted } from '../layers/core/preconditions.js'
import { Refusal, shapeOfSignal } from '../layers/core/refuse.js'
import { OpError } from '../ops/opError.js'
import { constant, input as inputNode, parameter } from '../ops/ops.js'
import type { Initialiser } from '../ops/initialiser.js'
import { isOp, mapSignal, tensorsOf, type ParameterRole, type Signal, type Tensor } from '../ops/tensor.js'
import type { Shape, SignalShape } from '../shape/shape.js'
import { isSize } from '../shape/natural.js'
import { problem, type Problem } from '../shape/problem.js'
import { collectNodes, type Graph, type LayerRow } from './graph.js'
import { NamedSignals, once, signalOf, type Later } from './namedSignals.js'
import { vectorise } from './vectorise.js'

/** Options of {@link trace}. */
export interface TraceOptions {
  /** In `training`, dropout and its kin act (default `inference`). */
  readonly mode?: Mode
}

/**
 * Runs every layer's `forward` on symbolic tensors and returns the graph of ops it makes: shapes,
 * parameters with their published names, layer by layer, without allocating anything.
 *
 * Errors (on the left): the sentence of the first layer that does not fit, with its path; `notASize`,
 * `duplicateParameter`, `duplicateStream`, `duplicateFeature` (a name used twice), `notALayer`, `badName`, `faultyLayer` (a layer that makes an impossible op: a fault in that layer).
 *
 * @example
 * isRight(trace(pipe(input(224, 224, 3), patchEmbed({ patchSize: 16, dim: 192 })))) // true
 */
export const trace = (model: AnyModel, options: TraceOptions = {}): Either<Problem, Graph> => {
  try {
    const inputs = inputsOf(model.input, '')
    const tracer = new Tracer(options.mode ?? 'inference')
    const output = model.layers.reduce<Signal>((x, layer) => tracer.apply(layer, x, '', undefined), inputs)
    const nodes = collectNodes(tensorsOf(output))
    checkStreams(nodes)
    return right({ inputs, output, features: new NamedSignals(tracer.features), nodes, parameters: tracer.parameters, layers: tracer.rows })
  } catch (fault) {
    if (fault instanceof Refusal) return left(fault.problem)
    throw fault
  }
}

/**
 * The output shape of a model, found by tracing it. Errors: as {@link trace}.
 *
 * @example
 * shapeOf(pipe(input(192), linear(1000))) // right([1000])
 */
export const shapeOf = <I, S>(model: Model<I, S>): Either<Problem, S> => {
  const graph = trace(model as AnyModel)
  return graph._tag === 'Left' ? graph : right(shapeOfSignal(graph.right.output) as S)
}

const inputsOf = (spec: InputSpec, name: string): Signal => {
  const odd = 'fields' in spec ? Object.keys(spec.fields).find(field => !/^\w+$/.test(field) || field === 'integers') : undefined
  if (odd !== undefined) throw new Refusal(problem('badName', `inputs: '${odd}' is no name for a field; use letters, digits and underscores, and not 'integers'`, { path: 'inputs' }))
  if ('fields' in spec) return Object.freeze(Object.fromEntries(Object.entries(spec.fields).map(([field, inner]) => [field, inputsOf(inner, name === '' ? field : `${name}.${field}`)])))
  const wrong = spec.shape.find(size => !isSize(size))
  if (wrong !== undefined) throw new Refusal(problem('notASize', `input: a size must be a whole number from 1 to 10^9, got ${wrong}`, { path: 'input' }))
  return inputNode(name === '' ? 'x' : name, spec.shape, spec.dtype)
}

/** The state of one trace. It lives and dies inside `trace`; layers see it only as their context. */
class Tracer {
  readonly features = new Map<string, Later>()
  readonly rows: LayerRow[] = []
  readonly parameters: Tensor<'parameter'>[] = []
  private readonly seen = new Set<Tensor>()
  private readonly names = new Set<string>()
  private taps = new Set<string>()
  private counts = new Map<string, number>()
  /** For each layer being run, outermost first, the nodes it has made itself. */
  private readonly owners: Tensor[][] = []
  /** The window that layers run in at the moment. */
  private window: Window | undefined
  /** The tokens that count at the moment. */
  private policy: Tensor | undefined
  /** What the layers around say of parameters, innermost first, each from its own place. */
  private freezing: readonly (readonly [place: string, Freezing])[] = []
  /** The weights of a larger layer that layers take slices of at the moment. */
  private larger: ReadonlyMap<string, Tensor> | undefined

  constructor(private readonly mode: Mode) {}

  /** One layer at a place. A scope that is given replaces the layer's own, and shows in error paths. */
  apply(layer: AnyLayer, x: Signal, parent: string, scope: string | undefined): Signal {
    if (!isLayer(layer)) throw new Refusal(problem('notALayer', `a layer is needed here, but there is ${String(layer)}`, { path: scope === undefined ? parent : join(parent, scope) }))
    const { definition } = layer
    const path = join(parent, scope ?? this.unique(parent, definition.scope))
    const place = scope === undefined ? parent : path
    const shape = shapeOfSignal(x)
    const misfit = definition.check(shape as never, this.window) ?? accepted(definition.label, definition.accepts, shape)
    if (misfit !== undefined) throw new Refusal(located(misfit, place))
    // What the layer outside this one has made so far is its own, not this one's.
    this.own(x)
    const own: Tensor[] = []
    this.owners.push(own)
    const row = this.rows.length
    const output = this.frozenBy(definition.freezing, path, place, () => this.forward(layer, x, shape, path, place))
    this.own(output)
    this.owners.pop()
    if (own.length > 0) this.rows.splice(row, 0, { path, layer: definition.label, output: shapeOfSignal(output), nodes: own })
    if (path !== parent) this.features.set(path, output)
    return output
  }

  /** What a signal needs and nobody has yet belongs to the layer that is being run. */
  private own(signal: Signal): void {
    const owner = this.owners.at(-1)
    if (owner === undefined) return
    for (const t of tensorsOf(signal)) if (!this.seen.has(t)) owner.push(...collectNodes([t], this.seen))
  }

  private forward(layer: AnyLayer, x: Signal, shape: SignalShape, path: string, place: string): Signal {
    const { definition } = layer
    const declared = Object.entries(definition.parameters(shape as never, this.window))
    const parameters = Object.fromEntries(declared.map(([name, { shape, initialiser, role }]) => [name, this.parameter(join(path, name), place, shape, initialiser, role)]))
    // Statistics that are kept are kept by running as in inference.
    const keeps = declared.some(([name, { role }]) => role === 'buffer' && this.says(join(path, name), ({ statistics }) => statistics === 'keep'))
    try {
      return definition.forward(x as never, {
        mode: keeps ? 'inference' : this.mode,
        path,
        parameters,
        apply: (inner, signal, scope) => this.apply(inner, signal, path, scope),
        applyToEach: (inner, signal, window) => this.applyToEach(inner, signal, path, window),
        ...(this.window === undefined ? {} : { window: this.window }),
        applyUnder: (policy, inner, signal, scope) => this.applyUnder(policy, inner, signal, path, scope),
        ...(this.policy === undefined ? {} : { policy: this.policy }),
        expose: (inner, signal, paths) => this.expose(inner, signal, path, paths),
        within: (whole, parts, signal) => this.within(whole, parts, signal, path, place),
        record: (name, signal) => signalOf(this.record(name, signal, place)),
        offer: (name, make) => this.record(name, once(make), place),
      })
    } catch (fault) {
      if (fault instanceof OpError) throw new Refusal(problem('faultyLayer', `${definition.label}: ${fault.message}`, { path: located(problem('', definition.label), place).path, remedy: 'this is a fault in the layer: its preconditions should have refused the signal' }))
      if (fault instanceof Refusal && fault.problem.path === '') throw new Refusal(located(fault.problem, place))
      throw fault
    }
  }

  /** A layer while only some tokens count. */
  private applyUnder(policy: Tensor | undefined, layer: AnyLayer, x: Signal, parent: string, scope: string | undefined): Signal {
    if (policy !== undefined) this.own(policy)
    const outer = this.policy
    this.policy = policy
    const output = this.apply(layer, x, parent, scope)
    this.policy = outer
    return output
  }

  /** A layer on every slice of the first axis of `x`: traced on one, and what it made lifted over all. */
  private applyToEach(layer: AnyLayer, x: Tensor, parent: string, { size, mask }: Window): Signal {
    this.own(x)
    if (mask !== undefined) this.own(mask)
    const [count, ...shape] = x.shape as readonly [number, ...number[]]
    const slot = inputNode('slice', shape, x.dtype)
    const slots = new Map<Tensor, Tensor>([[slot, x]])
    // A constant stands for one mask, so that what depends on weights and masks alone is seen to do so.
    const oneMask = mask === undefined ? undefined : constant(new Float32Array(mask.shape[1]! * mask.shape[2]!), mask.shape.slice(1))
    if (oneMask !== undefined) slots.set(oneMask, mask!)
    for (const stand of slots.keys()) this.seen.add(stand)
    const [rows, features, outer] = [this.rows.length, new Map(this.features), this.window]
    this.window = oneMask === undefined ? { size } : { size, mask: oneMask }
    const one = this.applyUnder(undefined, layer, slot, parent, undefined)
    this.window = outer
    const lift = vectorise(count, slots)
    const lifted = this.rows.splice(rows).map(row => ({ row, made: new Set(row.nodes), nodes: [] as Tensor[] }))
    for (const n of collectNodes(lifted.flatMap(({ row }) => row.nodes))) {
      const all = lift(n)
      lifted.find(({ made }) => made.has(n))?.nodes.push(...(all === n ? [n] : collectNodes([all], this.seen)))
    }
    this.rows.push(...lifted.map(({ row, nodes }) => ({ ...row, nodes })))
    for (const [name, signal] of this.features) if (features.get(name) !== signal) this.features.set(name, typeof signal === 'function' ? once(() => mapSignal(signal(), lift)) : mapSignal(signal, lift))
    return mapSignal(one, lift)
  }

  /** A layer, and what is at some paths inside it: features that it made, and not those of a layer before it. */
  private expose(layer: AnyLayer, x: Signal, parent: string, paths: Readonly<Record<string, string>>): Signal {
    const before = new Map(this.features)
    const output = this.apply(layer, x, parent, undefined)
    const made = [...this.features].filter(([name, signal]) => before.get(name) !== signal)
    // Taps have names of their own, wherever they are.
    const inside = new Map(made.map(([name, signal]) => [name.startsWith(`${parent}.`) ? below(parent, name) : name, signal]))
    const found = Object.entries(paths).map(([name, path]) => {
      const signal = path === '' ? output : inside.get(path)
      if (signal === undefined) throw new Refusal(located(unknownPath('expose', path, [...inside.keys()]), parent))
      return [name, signalOf(signal)] as const
    })
    return Object.freeze(Object.fromEntries(found))
  }

  /** Layers whose weights are slices of those of another, which is traced apart and leaves nothing else. */
  private within(whole: AnyLayer, parts: readonly AnyLayer[], x: Signal, path: string, place: string): readonly Signal[] {
    const apart = new Tracer(this.mode)
    apart.window = this.window
    apart.apply(whole, x, path, undefined)
    const [larger, counts, taps] = [this.larger, this.counts, this.taps]
    this.larger = new Map(apart.parameters.map(({ attributes: { name, initialiser, role }, shape }) => [name, this.parameter(name, place, shape, initialiser, role)]))
    const made = parts.map(part => {
      // Parts have the same names, of layers and of what is recorded in them.
      ;[this.counts, this.taps] = [new Map(), new Set(taps)]
      return this.apply(part, x, path, undefined)
    })
    ;[this.larger, this.counts, this.taps] = [larger, counts, taps]
    return made
  }

  /** A second `linear` in one scope becomes `linear_1`. */
  private unique(parent: string, scope: string): string {
    if (scope === '') return ''
    const key = join(parent, scope)
    const count = this.counts.get(key) ?? 0
    this.counts.set(key, count + 1)
    return count === 0 ? scope : `${scope}_${count}`
  }

  /** Runs what is inside a layer that freezes parameters. Each of its paths has to mean one. */
  private frozenBy<T>(freezing: readonly Freezing[], path: string, place: string, inside: () => T): T {
    if (freezing.length === 0) return inside()
    const [outer, before] = [this.freezing, this.parameters.length]
    // Those around this one are asked later and so decide.
    this.freezing = [...freezing.map(f => [path, f] as const), ...outer]
    const made = inside()
    this.freezing = outer
    const names = this.parameters.slice(before).map(p => below(path, p.attributes.name))
    for (const f of freezing) {
      const idle = idlePath(f, names)
      if (idle !== undefined) throw new Refusal(located(idle, place))
    }
    return made
  }

  /** What the outermost of the layers around that freezes a parameter, or takes back that it is frozen, says of it. */
  private says(name: string, of: (freezing: Freezing) => boolean): boolean {
    return this.freezing.reduce((said, [place, freezing]) => {
      const frozen = isFrozen(freezing, below(place, name))
      return frozen === undefined ? said : frozen && of(freezing)
    }, false)
  }

  private parameter(name: string, place: string, shape: Shape, initialiser: Initialiser, role?: ParameterRole): Tensor {
    if (this.larger !== undefined) return leadingSlice(name, this.larger.get(name), shape)
    if (this.names.has(name)) throw new Refusal(problem('duplicateParameter', `two parameters are called '${name}'`, { path: place, remedy: 'wrap one of the layers in named(…)' }))
    this.names.add(name)
    const made = parameter(name, shape, initialiser, (role ?? 'trained') === 'trained' && this.says(name, () => true) ? 'frozen' : role)
    this.parameters.push(made)
    return made
  }

  private record<S extends Later>(name: string, signal: S, place: string): S {
    if (this.taps.has(name)) throw new Refusal(problem('duplicateFeature', `two signals are recorded as '${name}'`, { path: place, remedy: 'give each tap a name of its own' }))
    this.taps.add(name)
    this.features.set(name, signal)
    return signal
  }
}

/** Masks of one stream are one mask, so no two layers may drop by the same. */
const checkStreams = (nodes: readonly Tensor[]): void => {
  const streams = new Set<string>()
  for (const n of nodes) {
    if (!isOp(n, 'dropMask')) continue
    const { stream } = n.attributes
    if (streams.has(stream)) throw new Refusal(problem('duplicateStream', `two layers drop by the same random stream '${stream}'`, { path: stream, remedy: 'wrap one of the layers in named(…)' }))
    streams.add(stream)
  }
}

const join = (parent: string, name: string): string => (parent === '' ? name : name === '' ? parent : `${parent}.${name}`)

/** A name as it is seen from a place. */
const below = (place: string, name: string): string => (place === '' ? name : name.slice(place.length + 1))

/** The problem with its place: `blocks.3 › attention`, the layer being the word its sentence begins with. */
const located = (p: Problem, place: string): Problem => {
  const leaf = /^\w+/.exec(p.sentence)?.[0] ?? ''
  return { ...p, path: place === '' ? leaf : `${place} › ${leaf}` }
}
