import { cost } from '../../graph/cost.js'
import type { Graph } from '../../graph/graph.js'
import { trace } from '../../graph/trace.js'
import type { AnyModel, InputSpec } from '../../layers/core/model.js'
import { isOp, tensorsOf } from '../../ops/tensor.js'
import { show } from '../../shape/shape.js'
import { fewerBlocks } from './fewerBlocks.js'
import { scaled, type Scale } from './scaled.js'

/** A model made small, and what was done to it. */
export interface Reduced {
  readonly model: AnyModel
  /** In words, empty where it is as it was: `8×12×3 for 224×224×3, …`. */
  readonly note: string
}

/**
 * The same architecture at a size at which hundreds of checks take seconds: two blocks for many, few patches, few
 * channels. It computes with the same ops in the same order; no axis shrinks to 1, and height and
 * width differ where they may, so that less fits by coincidence. A model that is small already is left as it is.
 *
 * @example
 * reduced(pipe(input(5, 8), linear(3))).note // ''
 */
export const reduced = <M extends Pick<AnyModel, 'input' | 'layers'>>(whole: M): Reduced => {
  const original = traced(whole as unknown as AnyModel)
  if (original === undefined || cost(original).macs.total + elements(original) < 4e4) return { model: whole as unknown as AnyModel, note: '' }
  const shorter = fewerBlocks(whole)
  const measure = traced(shorter)
  if (measure === undefined) return { model: whole as unknown as AnyModel, note: '' }
  let best: Scale = { channels: 1, patches: 'kept' }
  const smaller = (scale: Scale): boolean => fits(measure, attempt(shorter, scale))
  best = (['uneven', 'square', 'kept'] as const).flatMap(patches => placesFor(shorter.input).map(places => ({ channels: 1, patches, places }))).find(smaller) ?? best
  const narrow = divisors.map(channels => ({ ...best, channels })).filter(smaller)
  const costs = narrow.map(scale => cost(attempt(shorter, scale)!).params)
  best = narrow[costs.indexOf(Math.min(...costs))] ?? best
  const model = scaled(shorter, best)
  const graph = traced(model)
  return graph === undefined ? { model: whole as unknown as AnyModel, note: '' } : { model, note: told(whole, model, original, graph) }
}

const divisors = [96, 64, 48, 32, 24, 16, 12, 8, 6, 4, 3, 2]

const traced = (model: AnyModel): Graph | undefined => {
  const graph = trace(model)
  return graph._tag === 'Left' ? undefined : graph.right
}

/** A user's own constructor may not take what it is given here. */
const attempt = (model: AnyModel, scale: Scale): Graph | undefined => {
  try {
    return traced(scaled(model, scale))
  } catch {
    return undefined
  }
}

const elements = ({ nodes }: Graph): number => nodes.reduce((total, { shape }) => total + shape.reduce((n, size) => n * size, 1), 0)

/** The same ops in the same order, without an axis that has lost its extent, with channels for heads to share. */
const fits = (whole: Graph, small: Graph | undefined): boolean => {
  if (small === undefined || small.nodes.length !== whole.nodes.length || small.parameters.length !== whole.parameters.length) return false
  for (const [i, node] of whole.nodes.entries()) {
    const other = small.nodes[i]!
    if (other.op !== node.op || other.shape.length !== node.shape.length) return false
    // A slice may well become thin: what a shifted window rolls over is.
    if (node.op !== 'slice' && node.shape.some((size, axis) => size > 1 && other.shape[axis]! < 2)) return false
    if (isOp(other, 'attention') && other.inputs[0]!.shape.at(-1)! < 2 * other.attributes.numHeads) return false
    if (/^(linear|layerNorm)$/.test(node.op) && node.shape.at(-1)! >= 16 && other.shape.at(-1)! < 6) return false
    if (node.op === 'conv2d' && node.shape.at(-1)! >= 16 && other.shape.at(-1)! < 3) return false
  }
  // Signals of one batch at least must hold several places, or attention has nothing to weigh.
  return tensorsOf(small.inputs).every(({ shape }) => shape.length < 2 || shape.slice(0, -1).reduce((n, size) => n * size, 1) >= 4)
}

/** Sizes to try for the places of an input, small ones first, height and width different before equal. */
const placesFor = (spec: InputSpec): readonly (readonly number[])[] => {
  const shapes = leaves(spec)
  const rank = Math.max(0, ...shapes.map(({ shape, dtype }) => shape.length - (dtype === 'int32' ? 0 : 1)))
  if (rank === 0) return [[]]
  const tried = [4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 17, 18, 20, 24, 28, 32, 36, 40, 48, 56, 64, 72, 80, 96, 112, 128, 160, 192]
  const most = Math.max(...shapes.flatMap(({ shape, dtype }) => (dtype === 'int32' ? shape : shape.slice(0, -1))))
  const sizes = [...tried.filter(size => size < most), most]
  if (rank === 1) return sizes.map(size => [size])
  const pairs = sizes.flatMap((a, i) => [...sizes.slice(i + 1, i + 5).map(b => [a, b]), [a, a]])
  const order = ([height, width]: readonly number[]): number => height! * width! * (height === width ? 2.5 : 1)
  return pairs.sort((p, q) => order(p) - order(q))
}

const leaves = (spec: InputSpec): readonly { readonly shape: readonly number[]; readonly dtype: string }[] => ('fields' in spec ? Object.values(spec.fields).flatMap(leaves) : [spec])

const told = (whole: Pick<AnyModel, 'input'>, small: AnyModel, before: Graph, after: Graph): string => {
  const inputs = (m: Pick<AnyModel, 'input'>): string => leaves(m.input).map(({ shape }) => show(shape)).join(', ')
  const [from, to] = [cost(before), cost(after)]
  return `${inputs(small)} for ${inputs(whole)}, ${to.params} parameters for ${from.params}, ${after.nodes.length} ops for ${before.nodes.length}`
}
