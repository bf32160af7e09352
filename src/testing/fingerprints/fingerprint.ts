import { right, type Either } from 'fp-ts/lib/Either.js'
import type { Recipe } from '../../../recipes/kit/recipe.js'
import { collectNodes, type Graph } from '../../graph/graph.js'
import { trace } from '../../graph/trace.js'
import { evaluate } from '../../ops/definition/define.js'
import { fill, type Value } from '../../ops/definition/value.js'
import { isOp, isTensor, tensorsOf, type Tensor } from '../../ops/tensor.js'
import type { Problem } from '../../shape/problem.js'
import { fnv1a32 } from '../../weights/fnv1a32.js'
import { formulaInput, formulaValues } from './formulaValues.js'
import { reducedConfig } from './reducedConfig.js'
import { sizeOf } from '../../shape/shape.js'

/** What one layer gave, in two numbers: the mean of its elements and the root of their mean square. */
export type LayerDigest = readonly [path: string, mean: number, size: number]

/** By what a published recipe is known. */
export interface Fingerprint {
  /** The recipe's own options: what they say of heads and windows may show in no shape. */
  readonly config: object
  /** How many weights there are, buffers included; how many elements those have that are no buffers. */
  readonly tensors: number
  readonly parameters: number
  /** A hash of all names with their shapes and roles. */
  readonly names: string
  /** The options that make it small. */
  readonly reduced: Readonly<Record<string, unknown>>
  /** What the small one makes of formula weights and a formula input, all outputs one after the other. */
  readonly output: readonly number[]
  /** The same for the layers inside, in the order in which they finish. */
  readonly layers: readonly LayerDigest[]
}

/**
 * The fingerprint of a recipe: the names and shapes of its weights, and what it computes in a small configuration with
 * weights and an input made by formula, by the definitions of the ops. It changes with any change of wiring: a layer
 * left out, put elsewhere, or fed from another place.
 *
 * Errors: those of `trace`.
 *
 * @example
 * fingerprint(vitRecipe({ imageSize: 28, channels: 1, patchSize: 4, dim: 64, depth: 6, numHeads: 4 })) // Either<Problem, Fingerprint>
 */
export const fingerprint = (recipe: Recipe, reduced: Readonly<Record<string, unknown>> = reducedConfig(recipe)): Either<Problem, Fingerprint> => {
  const whole = trace(recipe.model)
  if (whole._tag === 'Left') return whole
  const small = trace(recipe.withConfig(reduced).model)
  if (small._tag === 'Left') return small
  const lines = whole.right.parameters.map(({ attributes: { name, role }, shape }) => `${name} ${shape.join('×')} ${role}`)
  return right({
    config: recipe.config,
    tensors: lines.length,
    parameters: whole.right.parameters.filter(p => p.attributes.role !== 'buffer').reduce((total, { shape }) => total + sizeOf(shape), 0),
    names: fnv1a32(lines.sort().join('\n')).toString(16).padStart(8, '0'),
    reduced,
    ...valuesOf(small.right),
  })
}

/** Seven digits: as many as float32 holds, and the same on every machine. */
const rounded = (value: number): number => Number(value.toPrecision(7))

const valuesOf = ({ output, features }: Graph): Pick<Fingerprint, 'output' | 'layers'> => {
  const values = new Map<Tensor, Value>()
  const paths = [...features].flatMap(([path, signal]) => (isTensor(signal) && signal.batched ? [[path, signal] as const] : []))
  const nodes = collectNodes([...tensorsOf(output), ...paths.map(([, signal]) => signal)])
  for (const node of nodes) values.set(node, leaf(node) ?? evaluate(node, node.inputs.map(x => values.get(x)!), 1))
  const digest = ([path, signal]: readonly [string, Tensor]): LayerDigest => {
    const { data } = values.get(signal)!
    const mean = (f: (value: number) => number): number => data.reduce((total, value) => total + f(value), 0) / data.length
    return [path, rounded(mean(value => value)), rounded(Math.sqrt(mean(value => value * value)))]
  }
  return { output: tensorsOf(output).flatMap(t => Array.from(values.get(t)!.data, rounded)), layers: inOrder(paths, nodes).map(digest) }
}

/** By when they are computed: a name that is given twice, such as `blocks`, stands where its last bearer does. */
const inOrder = (paths: readonly (readonly [string, Tensor])[], nodes: readonly Tensor[]): readonly (readonly [string, Tensor])[] => {
  const position = new Map(nodes.map((node, i) => [node, i]))
  return [...paths].sort(([, a], [, b]) => position.get(a)! - position.get(b)!)
}

/** The values of what is given rather than computed. */
const leaf = (node: Tensor): Value | undefined => {
  const of = (values: ArrayLike<number>): Value => fill([1, ...node.shape], i => values[i]!)
  if (isOp(node, 'constant')) return of(node.attributes.data)
  if (isOp(node, 'parameter')) return of(formulaValues(node.attributes.name, node.shape))
  return isOp(node, 'input') ? of(formulaInput(node, node.attributes.name) as ArrayLike<number>) : undefined
}
