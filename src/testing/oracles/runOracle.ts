import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { trace } from '../../graph/trace.js'
import type { AnyLayer } from '../../layers/core/layer.js'
import type { AnyModel, InputSpec } from '../../layers/core/model.js'
import { problem, type Problem } from '../../shape/problem.js'
import { at, countOf, numbers, stacked, type Numbers } from './numbers.js'
import { WeightFault, type Place, type Run, type Values } from './oracle.js'
import { oracleOf } from './oracleOf.js'
import { ownLayer } from './ownLayer.js'

/** What a model is fed: numbers of all samples one after the other, as `program.run` takes them, or a record of them. */
export type OracleInput = ArrayLike<number> | { readonly [field: string]: OracleInput }

/** What the oracles make of a model. All arrays have the batch in front. */
export interface OracleRun {
  readonly output: Values
  /** Outputs of inner layers, by path, as far as oracles run layer by layer; in windows, those of all windows. */
  readonly features: ReadonlyMap<string, Values>
  /** Weights of the model that no oracle read. */
  readonly unread: readonly string[]
}

/**
 * Runs a whole model by the oracles of its layers, sample by sample, in inference: a second implementation of the
 * library, to compare with. A layer that has no oracle is run by its own `forward`, on the definitions of its ops.
 * It works out the names of weights by itself, too.
 *
 * Errors: those of `trace`; `inputMisfit`; `oracleMisfit` (the model lacks a weight that a layer is known to have, or it
 * has another shape: a fault in the layer's parameters or in how names are made).
 *
 * @example
 * runOracle(pipe(input(2), linear(3)), new Map([['linear.weight', new Float32Array(6)], ['linear.bias', new Float32Array(3)]]), [1, 2]) // Either<Problem, OracleRun>
 */
export const runOracle = (model: AnyModel, weights: ReadonlyMap<string, ArrayLike<number>>, inputs: OracleInput): Either<Problem, OracleRun> => {
  const graph = trace(model)
  if (graph._tag === 'Left') return graph
  const shapes = new Map(graph.right.parameters.map(({ attributes, shape }) => [attributes.name, shape]))
  const batch = batchOf(model.input, inputs)
  if (batch === undefined) return left(problem('inputMisfit', 'the inputs are not whole samples of what the model takes'))
  const house = new House(shapes, weights)
  try {
    const runs = model.layers.map(layer => house.place('').bind(layer))
    const outputs = Array.from({ length: batch }, (_, sample) => {
      const output = runs.reduce<Values>((x, run) => run(x), sampleOf(model.input, inputs, sample))
      house.endSample()
      return output
    })
    const features = new Map(house.paths().map(path => [path, gathered(house.samples.map(sample => sample.get(path)!))]))
    return right({ output: gathered(outputs), features, unread: [...shapes.keys()].filter(name => !house.read.has(name)) })
  } catch (fault) {
    if (fault instanceof WeightFault) return left(problem('oracleMisfit', fault.message, { path: fault.parameter }))
    throw fault
  }
}

/** Names and weights of one run. */
class House {
  readonly read = new Map<string, Numbers>()
  /** Finished samples: what each path gave. */
  readonly samples: Map<string, Values>[] = []
  private current = new Map<string, { readonly by: Run; readonly values: Values[] }>()
  private readonly taken = new Map<string, number>()

  constructor(private readonly shapes: ReadonlyMap<string, readonly number[]>, private readonly weights: ReadonlyMap<string, ArrayLike<number>>) {}

  /** @param taken names given so far, those of layers in a part of a larger network on their own */
  place(path: string, taken: Map<string, number> = this.taken): Place {
    const isPart = taken !== this.taken
    return {
      weight: (name, ...shape) => this.weight(join(path, name), shape, isPart),
      at: scope => this.place(join(path, scope), taken),
      bind: (layer, scope) => this.bind(layer, path, scope, taken),
      inWhole: () => this.place(path, new Map()),
      given: inner => this.given(join(path, inner)),
    }
  }

  /** The features of the sample that has just been run; what ran several times ran in windows. */
  endSample(): void {
    this.samples.push(new Map([...this.current].map(([path, { values }]) => [path, values.length === 1 ? values[0]! : gathered(values)])))
    this.current = new Map()
  }

  /** Paths that gave something of one shape for every sample. */
  paths(): readonly string[] {
    return [...(this.samples[0]?.keys() ?? [])].filter(path => this.samples.every(sample => sample.has(path)))
  }

  private bind(layer: AnyLayer, parent: string, scope: string | undefined, taken: Map<string, number>): Run {
    const path = join(parent, scope ?? unique(parent, layer.definition.scope, taken))
    const place = this.place(path, taken)
    const run = oracleOf(layer)?.(place, ...(layer.definition.args as readonly never[])) ?? ownLayer(layer, place)
    if (path === parent) return run
    return (x, window) => {
      const y = run(x, window)
      const before = this.current.get(path)
      // Of two layers under one name, as in a fan-out and what follows it, the later one counts.
      if (before?.by === run) before.values.push(y)
      else this.current.set(path, { by: run, values: [y] })
      return y
    }
  }

  private given(path: string): Values {
    const last = this.current.get(path)?.values.at(-1)
    if (last === undefined) throw new WeightFault(path, 'no oracle ran there')
    return last
  }

  private weight(name: string, asked: readonly number[], isPart: boolean): Numbers {
    const declared = this.shapes.get(name)
    if (isPart && declared?.length === asked.length && declared.some((size, axis) => size > asked[axis]!) && declared.every((size, axis) => size >= asked[axis]!)) {
      const whole = this.weight(name, declared, false)
      return numbers(asked, (...place) => at(whole, ...place))
    }
    const [known, shape] = [this.read.get(name), asked]
    if (declared === undefined) throw new WeightFault(name, `the model has no such weight, but its definition needs one of ${shape.join('×')}`)
    if (declared.join() !== shape.join()) throw new WeightFault(name, `is ${declared.join('×')} in the model and ${shape.join('×')} by its definition`)
    if (known !== undefined) return known
    const given = this.weights.get(name)
    if (given?.length !== countOf(shape)) throw new WeightFault(name, given === undefined ? 'was not given' : `${given.length} elements do not fill ${shape.join('×')}`)
    const made = { shape, data: Float64Array.from(given) }
    this.read.set(name, made)
    return made
  }
}

/** Of layers that stand in one scope without a name of their own, the second is called `linear_1`. */
const unique = (parent: string, scope: string, taken: Map<string, number>): string => {
  const name = join(parent, scope)
  const before = taken.get(name) ?? 0
  if (scope !== '') taken.set(name, before + 1)
  return before === 0 ? scope : `${scope}_${before}`
}

const join = (parent: string, name: string): string => [parent, name].filter(part => part !== '').join('.')

/** Equal parts one after the other, along a new first axis; records field by field. */
const gathered = (parts: readonly Values[]): Values => {
  if (parts[0] === undefined) return { shape: [0], data: new Float64Array(0) }
  if (parts[0].data instanceof Float64Array) return stacked(parts as readonly Numbers[])
  return Object.fromEntries(Object.keys(parts[0]).map(name => [name, gathered(parts.map(part => (part as Readonly<Record<string, Values>>)[name]!))]))
}

type Fields = Readonly<Record<string, OracleInput>>

/** How many samples the inputs hold, if they hold a whole number of them. */
const batchOf = (spec: InputSpec, inputs: OracleInput): number | undefined => {
  if (!('fields' in spec)) {
    const batch = (inputs as ArrayLike<number>).length / countOf(spec.shape)
    return Number.isInteger(batch) && batch > 0 ? batch : undefined
  }
  const batches = Object.entries(spec.fields).map(([name, field]) => ((inputs as Fields)[name] === undefined ? undefined : batchOf(field, (inputs as Fields)[name]!)))
  return batches.every(batch => batch === batches[0]) ? batches[0] : undefined
}

const sampleOf = (spec: InputSpec, inputs: OracleInput, sample: number): Values => {
  if ('fields' in spec) return Object.fromEntries(Object.entries(spec.fields).map(([name, field]) => [name, sampleOf(field, (inputs as Fields)[name]!, sample)]))
  const size = countOf(spec.shape)
  return { shape: spec.shape, data: Float64Array.from({ length: size }, (_, i) => (inputs as ArrayLike<number>)[sample * size + i]!) }
}
