import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { trace } from '../graph/trace.js'
import type { AnyModel } from '../layers/core/model.js'
import { problem, type Problem } from '../shape/problem.js'
import { show, sizeOf, type Shape } from '../shape/shape.js'

/**
 * The weights of a part of a trained whole, for the part on its own: of each the first elements along every axis, which
 * is what `subnetwork` computes with. Errors: those of `trace`; `missingWeight`, `weightMisfit`; `notAPart`.
 *
 * @example
 * inheritedWeights(pipe(input(3), linear(2)), pipe(input(3), linear(4)), new Map([['linear.weight', Float32Array.from({ length: 12 }, (_, i) => i)], ['linear.bias', new Float32Array(4)]])).right.get('linear.weight') // Float32Array.of(0, 1, 2, 3, 4, 5)
 */
export const inheritedWeights = (part: AnyModel, whole: AnyModel, weights: ReadonlyMap<string, Float32Array>): Either<Problem, ReadonlyMap<string, Float32Array>> => {
  const [small, large] = [trace(part), trace(whole)]
  if (small._tag === 'Left') return small
  if (large._tag === 'Left') return large
  const shapes = new Map(large.right.parameters.map(({ attributes: { name }, shape }) => [name, shape]))
  const inherited = new Map<string, Float32Array>()
  for (const { attributes: { name }, shape } of small.right.parameters) {
    const [from, values] = [shapes.get(name), weights.get(name)]
    const fits = from !== undefined && from.length === shape.length && shape.every((size, axis) => size <= from[axis]!)
    if (!fits) return left(problem('notAPart', `weights: '${name}' is ${show(shape)} in the part, and ${from === undefined ? 'not' : show(from)} in the whole`, { path: name }))
    if (values === undefined) return left(problem('missingWeight', `weights: there is no '${name}'`, { path: name }))
    if (values.length !== sizeOf(from)) return left(problem('weightMisfit', `weights: '${name}' has ${values.length} values, but ${show(from)} needs ${sizeOf(from)}`, { path: name }))
    inherited.set(name, leading(values, from, shape))
  }
  return right(inherited)
}

const leading = (values: Float32Array, from: Shape, shape: Shape): Float32Array => {
  const made = new Float32Array(sizeOf(shape))
  const row = shape.at(-1) ?? 1
  const at = shape.slice(0, -1).map(() => 0)
  // Row by row: only the last axis lies together.
  for (let to = 0; to < made.length; to += row) {
    const start = [...at, 0].slice(0, shape.length).reduce((index, i, axis) => index * from[axis]! + i, 0)
    made.set(values.subarray(start, start + row), to)
    for (let axis = at.length - 1; axis >= 0 && ++at[axis]! === shape[axis]; axis--) at[axis] = 0
  }
  return made
}
