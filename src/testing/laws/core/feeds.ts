import type { Graph } from '../../../graph/graph.js'
import { isOp, isTensor, type Signal, type Tensor } from '../../../ops/tensor.js'
import { sizeOf } from '../../../shape/shape.js'
import { fnv1a32 } from '../../../weights/fnv1a32.js'
import { mulberry32 } from '../../../weights/mulberry32.js'

/** What `Program.run` takes: an array, or a record of them. */
export type Feed = Float32Array | Int32Array | { readonly [field: string]: Feed }

/** How the numbers of an input look: ordinary ones, or those that numerical mistakes cannot stand. */
export type FeedKind = 'ordinary' | 'zeros' | 'constantRows' | 'large' | 'denormals' | 'mixed'

/** The kinds beside the ordinary one. */
export const hostileKinds: readonly FeedKind[] = ['zeros', 'constantRows', 'large', 'denormals', 'mixed']

/** Samples for a graph's inputs, the same for a seed everywhere. Whole numbers are rows that the tables they index have. */
export const feedFor = (graph: Graph, batch: number, seed: number, kind: FeedKind = 'ordinary'): Feed => {
  const rows = tableRows(graph)
  const of = (signal: Signal, path: string): Feed =>
    isTensor(signal) ? array(signal, batch, seed, kind, path, rows.get(signal) ?? 4) : Object.fromEntries(Object.entries(signal).map(([name, field]) => [name, of(field, `${path}.${name}`)]))
  return of(graph.inputs, 'x')
}

/** The arrays of a feed by the names of the input nodes. */
export const byName = (inputs: Signal, feed: Feed): ReadonlyMap<string, Float32Array | Int32Array> => {
  const found = new Map<string, Float32Array | Int32Array>()
  const walk = (signal: Signal, value: Feed): void => {
    if (isTensor(signal)) found.set((signal as Tensor<'input'>).attributes.name, value as Float32Array)
    else for (const [name, field] of Object.entries(signal)) walk(field, (value as Readonly<Record<string, Feed>>)[name]!)
  }
  walk(inputs, feed)
  return found
}

/** A feed with every array replaced. */
const mapFeed = (feed: Feed, f: (values: Float32Array | Int32Array) => Float32Array | Int32Array): Feed =>
  ArrayBuffer.isView(feed) ? f(feed) : Object.fromEntries(Object.entries(feed).map(([name, field]) => [name, mapFeed(field, f)]))

/** Sample `at` of a batch of `batch`. */
export const sampleOf = (feed: Feed, at: number, batch: number): Feed => mapFeed(feed, values => values.slice((at * values.length) / batch, ((at + 1) * values.length) / batch))

const array = (node: Tensor, batch: number, seed: number, kind: FeedKind, path: string, rows: number): Float32Array | Int32Array => {
  const draw = mulberry32(fnv1a32(`${seed}|${path}|${kind}`))
  const uniform = (): number => draw() / 2 ** 31 - 1
  const count = batch * sizeOf(node.shape)
  if (node.dtype === 'int32') return Int32Array.from({ length: count }, () => draw() % rows)
  const width = node.shape.at(-1) ?? 1
  let row = 0
  return Float32Array.from({ length: count }, (_, i) => {
    if (i % width === 0) row = uniform()
    const of = kind === 'mixed' ? hostileKinds[(Math.floor(i / width) * 7) % 4]! : kind
    if (of === 'zeros') return 0
    if (of === 'constantRows') return 3 * row
    if (of === 'large') return 1e4 * Math.sign(uniform())
    return of === 'denormals' ? 1e-40 * uniform() : 1.5 * uniform()
  })
}

/** How many rows the smallest table has that an input's numbers pick from. */
const tableRows = ({ nodes }: Graph): ReadonlyMap<Tensor, number> => {
  const rows = new Map<Tensor, number>()
  for (const node of nodes) {
    if (!isOp(node, 'gather')) continue
    let source = node.inputs[1]!
    while (source.op === 'reshape' || source.op === 'transpose' || source.op === 'slice') source = source.inputs[0]!
    rows.set(source, Math.min(rows.get(source) ?? Infinity, node.inputs[0]!.shape[0]!))
  }
  return rows
}
