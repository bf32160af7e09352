import { right, type Either } from 'fp-ts/lib/Either.js'
import { outline, type OutlineStep } from '../../graph/outline.js'
import { trace } from '../../graph/trace.js'
import type { AnyModel, Model } from '../../layers/core/model.js'
import { shapeOfSignal } from '../../layers/core/refuse.js'
import type { Problem } from '../../shape/problem.js'
import { showFields, type SignalShape } from '../../shape/shape.js'

const width = 640
const pane = { left: 150, width: 410, height: 34, gap: 26 }
/** Cathedral glass: one colour a kind of layer. */
const colours: readonly (readonly [RegExp, string])[] = [
  [/patchEmbed|patchMerging|[cC]onv|embedding|stem/, '#1f6f8b'],
  [/Token(?!Attention)|flatten|[pP]ool/, '#c8553d'],
  [/position/, '#e0a030'],
  [/Block|Attention|mlp/, '#5b3a8c'],
  [/[nN]orm|layerScale/, '#4f7f52'],
  [/linear|merge|fanOut|parallel/, '#a83250'],
]

/**
 * A model as a picture: one pane of glass a layer, and on the lead between them the shape of the tensor that
 * passes. Errors: those of `trace`.
 *
 * @example
 * toSvg(pipe(input(192), linear(10)), 'a head') // Either<Problem, string>
 */
export const toSvg = <I, S>(model: Model<I, S>, title = ''): Either<Problem, string> => {
  const steps = outline(model as AnyModel)
  if (steps._tag === 'Left') return steps
  const graph = trace(model as AnyModel)
  if (graph._tag === 'Left') return graph
  return right(draw(steps.right, shapeOfSignal(graph.right.inputs), title))
}

const draw = (steps: readonly OutlineStep[], input: SignalShape, title: string): string => {
  const top = title === '' ? 34 : 66
  const height = top + steps.length * (pane.height + pane.gap) + 26
  const step = (s: OutlineStep, i: number): string => {
    const y = top + i * (pane.height + pane.gap)
    const fill = colours.find(([kind]) => kind.test(s.label))?.[1] ?? '#5c6b73'
    return [
      `<rect x="${pane.left}" y="${y}" width="${pane.width}" height="${pane.height}" rx="5" fill="${fill}" stroke="#22201d" stroke-width="3"/>`,
      `<path d="M${pane.left + 4} ${y + 5}h${pane.width * 0.55}l-14 10h-${pane.width * 0.55 - 14}z" fill="#fff" opacity="0.13"/>`,
      text(pane.left + 14, y + 22, s.label, '15', '#fff', 'start', 'font-weight="600"'),
      text(pane.left + pane.width - 12, y + 22, fitting(s), '12', '#fff', 'end'),
      text(pane.left - 14, y + 22, s.params === 0 ? '' : s.params.toLocaleString('en-US'), '12', '#6b645c', 'end'),
      edge(y + pane.height, showFields(s.output)),
    ].join('')
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-sans-serif, system-ui, sans-serif">`,
    `<rect width="${width}" height="${height}" fill="#f6f2ea"/>`,
    title === '' ? '' : text(width / 2, 28, title, '17', '#22201d', 'middle', 'font-weight="700"'),
    text(pane.left - 14, top - 12, 'parameters', '11', '#6b645c', 'end'),
    edge(top - 26, showFields(input)),
    ...steps.map(step),
    '</svg>\n',
  ].join('\n')
}

/** As many options as there is room for beside the label. */
const fitting = ({ label, detail }: OutlineStep): string => {
  const room = (pane.width - 40 - label.length * 8.6) / 6.4
  const parts = detail.split(', ')
  while (parts.join(', ').length > room) parts.pop()
  return parts.join(', ')
}

/** The lead between two panes, with the shape that passes. */
const edge = (y: number, shape: string): string =>
  `<path d="M${pane.left + pane.width / 2} ${y}v${pane.gap}" stroke="#22201d" stroke-width="3"/>${text(pane.left + pane.width / 2 + 12, y + 17, shape, '13', '#22201d', 'start', 'font-family="ui-monospace, monospace"')}`

const text = (x: number, y: number, content: string, size: string, fill: string, anchor: string, more = ''): string =>
  content === '' ? '' : `<text x="${x}" y="${y}" font-size="${size}" fill="${fill}" text-anchor="${anchor}" ${more}>${escaped(content)}</text>`

const escaped = (content: string): string => content.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
