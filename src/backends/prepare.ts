import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { collectNodes } from '../graph/graph.js'
import { isOfRun, isOp, tensorsOf, type Signal, type Tensor } from '../ops/tensor.js'
import { listing } from '../passes/listing.js'
import { rewriting, type Pass } from '../passes/pass.js'
import { optimise } from '../passes/pipeline.js'
import { problem, type Problem } from '../shape/problem.js'
import { sameShape, show } from '../shape/shape.js'

/** A parameter and the value it takes after a run. */
export interface Update {
  readonly parameter: Tensor<'parameter'>
  readonly value: Tensor
}

/** A graph that a session can run: what it is fed, what it gives back, and which parameters it changes. */
export interface Routine {
  readonly inputs: Signal
  /** What a run gives back, by name. */
  readonly outputs: Readonly<Record<string, Signal>>
  /** Parameters that take new values once the outputs are known. */
  readonly updates?: readonly Update[]
  /** Outputs that must be finite, or nothing is changed and the run gives a `notFinite` problem. */
  readonly guards?: readonly string[]
}

/** A routine over the session's own nodes, after all passes. */
export interface PreparedRoutine {
  readonly inputs: Signal
  readonly outputs: Readonly<Record<string, Signal>>
  readonly updates: readonly Update[]
  readonly guards: readonly Tensor[]
  /** Results that outlive the run's nodes: outputs, and values that parameters take. */
  readonly kept: ReadonlySet<Tensor>
  /** What is computed at every run, in order: what outputs need first. */
  readonly each: readonly Tensor[]
}

/** Routines that share their parameters, and what all of them need but once. */
export interface Prepared {
  readonly routines: ReadonlyMap<string, PreparedRoutine>
  /** Parameters that change. */
  readonly variables: ReadonlySet<Tensor<'parameter'>>
  /** The other parameters, constants and what follows from them alone. */
  readonly once: readonly Tensor[]
  readonly parameters: readonly Tensor<'parameter'>[]
}

/**
 * Makes routines into one graph with one node for each parameter name, runs every pass on it, and splits it by
 * what depends on an input or on a parameter that changes.
 *
 * Errors: `parameterMisfit` where two routines give one name to parameters of different shapes; `noSuchParameter`
 * for a variable that is none of their parameters.
 *
 * @param there parameters that exist already, whose nodes are taken
 */
export const prepare = (routines: Readonly<Record<string, Routine>>, variableNames: readonly string[] = [], passes: Pass = optimise, there: Iterable<Tensor<'parameter'>> = []): Either<Problem, Prepared> => {
  const known = new Map<string, Tensor<'parameter'>>([...there].map(parameter => [parameter.attributes.name, parameter]))
  const entries = Object.entries(routines)
  const written = entries.flatMap(([, { updates = [] }]) => updates.map(({ parameter }) => parameter))
  const given = entries.flatMap(([, routine]) => rootsOf(routine))
  for (const node of [...listing(given).nodes, ...written]) {
    if (!isOp(node, 'parameter')) continue
    const { name } = node.attributes
    const other = known.get(name)
    if (other !== undefined && !sameShape(other.shape, node.shape)) return left(problem('parameterMisfit', `parameters: '${name}' is ${show(other.shape)} in one routine and ${show(node.shape)} in another`))
    known.set(name, other ?? node)
  }
  const changed = new Set([...variableNames, ...written.map(({ attributes }) => attributes.name)])
  const unknown = [...changed].find(name => !known.has(name))
  if (unknown !== undefined) return left(problem('noSuchParameter', `parameters: there is no '${unknown}'`, { remedy: `there are: ${[...known.keys()].slice(0, 24).join(', ')}${known.size > 24 ? ', …' : ''}` }))
  const optimised = passes(rewriting({ parameter: node => known.get(node.attributes.name)! })(given))
  const variables = new Set([...changed].map(name => known.get(name)!))
  const { nodes } = listing(optimised)
  const depends = dependents(nodes, variables)
  let at = 0
  const prepared = entries.map(([name, { inputs, outputs, updates = [], guards = [] }]) => {
    const kept = Object.fromEntries(Object.keys(outputs).map(key => [key, optimised[at++]!]))
    const values = updates.map(({ parameter }) => ({ parameter: known.get(parameter.attributes.name)!, value: optimised[at++] as Tensor }))
    const roots = [...Object.values(kept).flatMap(tensorsOf), ...values.map(({ value }) => value)]
    return [name, { inputs, outputs: kept, updates: values, guards: guards.flatMap(guard => tensorsOf(kept[guard]!)), kept: new Set(roots), each: collectNodes(roots).filter(n => depends.has(n)) }] as const
  })
  return right({ routines: new Map(prepared), variables, once: nodes.filter(n => !depends.has(n)), parameters: [...known.values()] })
}

const rootsOf = ({ outputs, updates = [] }: Routine): readonly Signal[] => [...Object.values(outputs), ...updates.map(({ value }) => value)]

/** Not the same as being batched: a mean over the batch has no batch axis, and yet depends on the input. */
const dependents = (nodes: readonly Tensor[], variables: ReadonlySet<Tensor>): ReadonlySet<Tensor> => {
  const depends = new Set<Tensor>()
  for (const n of nodes) if (isOfRun(n) || variables.has(n) || n.inputs.some(x => depends.has(x))) depends.add(n)
  return depends
}
