import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { AnyModel } from '../../layers/core/model.js'
import type { Patterns } from '../../layers/core/pathPattern.js'
import { isOp, tensorsOf, type Tensor } from '../../ops/tensor.js'
import { problem, type Problem } from '../../shape/problem.js'
import { trace } from '../trace.js'
import { places, type Place } from './places.js'
import { chosen } from './select.js'

/**
 * The classification heads of a model: the linear layers (or convolutions of one pixel) whose results are its output,
 * or the fields of it, or are averaged to it. One in most models (`head`, `head.fc`), two in a distilled DeiT
 * (`head`, `head_dist`). Found in the graph, so that a model of any names has its own.
 *
 * Errors: those of `trace`; `noHead`, which says what the model ends with; where `at` says which layers are heads,
 * those of `select`.
 *
 * @example
 * heads(vitTiny).right.map(place => place.path) // ['linear']
 */
export const heads = (m: AnyModel, at?: Patterns): Either<Problem, readonly Place[]> => headsFor('heads', m, at)

/** {@link heads}, whose sentences begin with the name of who asks. */
export const headsFor = (who: string, m: AnyModel, at?: Patterns): Either<Problem, readonly Place[]> => {
  const all = places(m)
  if (all._tag === 'Left') return all
  const named = all.right.filter(place => place.isNamed)
  const asked = at === undefined ? undefined : chosen(who, named, at)
  if (asked?._tag === 'Left') return asked
  const traced = trace(m)
  if (traced._tag === 'Left') return traced
  const ends = tensorsOf(traced.right.output).map(lastWeighted)
  const found = ends.flatMap(end => end.heads)
  const projections = named.filter(place => isProjection(place) && (asked === undefined ? found.includes(place.path) : asked.right.includes(place)))
  const others = ends.flatMap(end => end.others)
  const isHead = found.length > 0 && others.length === 0 && !ends.some(end => end.reachesInput) && new Set(projections.map(({ path }) => path)).size === new Set(found).size
  return (asked === undefined ? isHead : projections.length > 0) ? right(projections) : left(noHead(who, asked === undefined ? [...others, ...found] : asked.right.map(({ path }) => path), named.filter(place => isProjection(place) && place.address !== undefined).map(({ path }) => path)))
}

const isProjection = ({ layer: { definition } }: Place): boolean => definition.kind === 'linear' || (definition.kind === 'conv2d' && definition.config['kernelSize'] === 1)

const noHead = (who: string, ends: readonly string[], projections: readonly string[]): Problem =>
  problem('noHead', `${who}: this model has no classification head; ${ends.length === 0 ? 'it has no weights' : `the last weights are those of ${[...new Set(ends)].map(path => `'${path}'`).join(', ')}`}`, {
    remedy: projections.length === 0 ? 'add one: a linear layer with the number of classes; a published recipe has the option numClasses' : `add a linear layer, or say which layer is the head; the linear layers are ${projections.slice(-6).join(', ')}`,
  })

/** Where the way back from an output first meets weights: at projections, by the path of their weights, or at other layers. */
const lastWeighted = (output: Tensor): { readonly heads: readonly string[]; readonly others: readonly string[]; readonly reachesInput: boolean } => {
  const [heads, others, seen, stack] = [new Set<string>(), new Set<string>(), new Set<Tensor>(), [output]]
  for (let n = stack.pop(); n !== undefined; n = stack.pop()) {
    if (seen.has(n)) continue
    seen.add(n)
    const weights = n.inputs.filter(x => !x.batched).flatMap(namesOf)
    const [, weight] = n.inputs
    const table = weight === undefined ? undefined : whole(weight)
    if ((n.op === 'linear' || n.op === 'conv2d') && table !== undefined && isOp(table, 'parameter')) heads.add(pathOf(table.attributes.name))
    else if (weights.length > 0) for (const name of weights) others.add(pathOf(name))
    else stack.push(...n.inputs.filter(x => x.batched))
  }
  return { heads: [...heads], others: [...others], reachesInput: [...seen].some(n => n.op === 'input') }
}

/** What a slice is of: a sub-network takes slices of the weights of the whole. */
const whole = (weight: Tensor): Tensor => (weight.op === 'slice' ? whole(weight.inputs[0]!) : weight)

/** The parameters that a value without a batch axis is made of. */
const namesOf = (n: Tensor): readonly string[] => (isOp(n, 'parameter') ? [n.attributes.name] : n.inputs.flatMap(namesOf))
const pathOf = (parameter: string): string => parameter.slice(0, Math.max(0, parameter.lastIndexOf('.')))
