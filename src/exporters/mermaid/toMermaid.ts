import { right, type Either } from 'fp-ts/lib/Either.js'
import { outline } from '../../graph/outline.js'
import { trace } from '../../graph/trace.js'
import type { AnyModel, Model } from '../../layers/core/model.js'
import { shapeOfSignal } from '../../layers/core/refuse.js'
import type { Problem } from '../../shape/problem.js'
import { showFields } from '../../shape/shape.js'

/**
 * A model as a Mermaid flowchart, which GitHub draws: one box a layer, shapes on the arrows. Errors: those of
 * `trace`.
 *
 * @example
 * toMermaid(pipe(input(192), linear(10))) // Either<Problem, string>
 */
export const toMermaid = <I, S>(model: Model<I, S>): Either<Problem, string> => {
  const steps = outline(model as AnyModel)
  if (steps._tag === 'Left') return steps
  const graph = trace(model as AnyModel)
  if (graph._tag === 'Left') return graph
  const boxes = steps.right.map((s, i) => `  n${i + 1}["${s.label}${s.detail === '' ? '' : `<br/><small>${s.detail}</small>`}"]`)
  const shapes = [shapeOfSignal(graph.right.inputs), ...steps.right.map(s => s.output)].map(showFields)
  const arrows = shapes.map((shape, i) => `  n${i} -->|"${shape}"| n${i + 1}`)
  return right(['flowchart TD', '  n0(["input"])', ...boxes, `  n${shapes.length}(["output"])`, ...arrows, ''].join('\n'))
}
