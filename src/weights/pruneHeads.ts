import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { places, type Place } from '../graph/tree/places.js'
import { replaced } from '../graph/tree/rewrite.js'
import { trace } from '../graph/trace.js'
import type { AnyModel, Model } from '../layers/core/model.js'
import { unknownPath } from '../layers/core/pathPattern.js'
import { problem, type Problem } from '../shape/problem.js'
import { sizeOf, type Shape } from '../shape/shape.js'

/** Heads to take away, by number, of attention layers by path: `{ 'blocks.0.attn': [1], 'blocks.1.attn': [0, 3] }`. */
export type HeadsByPath = Readonly<Record<string, readonly number[]>>

/** A model with fewer heads, and its weights. */
export interface Pruned<I, S> {
  readonly model: Model<I, S>
  readonly weights: ReadonlyMap<string, Float32Array>
}

/** What an attention keeps: some of its heads, each of some channels, where its weights are. */
interface Kept {
  readonly path: string
  /** The layer that is written in the model: the attention itself, or the block that makes it. */
  readonly at: Place
  readonly heads: readonly number[]
  readonly headDim: number
  readonly naming: unknown
}

/**
 * A model without some heads of its attention layers, and the weights of those that stay: rows of queries, keys and
 * values, and columns of the projection behind them, whose bias stays (Michel et al., 2019, "Are sixteen heads really
 * better than one?"). It gives exactly what the whole model gives with those heads multiplied by 0, in less time. For
 * `selfAttention`, `windowAttention`, and those in an `encoderBlock`; which heads matter, `headImportance` tells.
 *
 * Errors: those of `trace`; `unknownPath`; `noHeads` (a layer whose heads cannot be taken away); `noSuchHead`, `allHeads`;
 * `missingWeight`, `weightMisfit`.
 *
 * @example
 * pruneHeads(pipe(input(4, 8), selfAttention({ numHeads: 2, qkvBias: false, projBias: false })), new Map([['attn.qkv.weight', new Float32Array(192)], ['attn.proj.weight', new Float32Array(64)]]), { attn: [1] }).right.weights.get('attn.proj.weight').length // 32
 */
export const pruneHeads = <I, S>(model: Model<I, S>, weights: ReadonlyMap<string, Float32Array>, heads: HeadsByPath): Either<Problem, Pruned<I, S>> => {
  const all = places(model as AnyModel)
  if (all._tag === 'Left') return all
  const kept: Kept[] = []
  for (const [path, gone] of Object.entries(heads)) {
    const found = keptOf(all.right, path, gone)
    if (found._tag === 'Left') return found
    kept.push(found.right)
  }
  const byPlace = new Map(kept.map(each => [each.at.address, each]))
  const made = replaced(model as AnyModel, 'pruneHeads', kept.map(({ at }) => at), ({ address, layer: { definition: { make, args } } }) => {
    const { heads: { length }, headDim } = byPlace.get(address)!
    return make(...([{ ...(args[0] as object), numHeads: length, headDim }, ...args.slice(1)] as never[]))
  })
  if (made._tag === 'Left') return made
  const traced = trace(made.right)
  if (traced._tag === 'Left') return traced
  const sliced = new Map(weights)
  for (const { attributes: { name }, shape } of traced.right.parameters) {
    const values = weights.get(name)
    if (values === undefined) return left(problem('missingWeight', `pruneHeads: there is no '${name}' among the weights`, { remedy: 'give all weights of the model that is pruned' }))
    const own = kept.find(({ path }) => name.startsWith(`${path}.`))
    if (own !== undefined) sliced.set(name, ofHeads(values, name.slice(own.path.length + 1), own, shape))
    if (sliced.get(name)!.length !== sizeOf(shape)) return left(problem('weightMisfit', `pruneHeads: '${name}' has ${values.length} values, which are not those of the model`, { remedy: 'give the weights of the model before it is pruned' }))
  }
  return right({ model: made.right as unknown as Model<I, S>, weights: sliced })
}

const keptOf = (all: readonly Place[], path: string, gone: readonly number[]): Either<Problem, Kept> => {
  const named = all.filter(place => place.isNamed)
  const place = named.find(each => each.path === path)
  if (place === undefined) return left(unknownPath('pruneHeads', path, named.map(each => each.path)))
  const { kind, config } = place.layer.definition
  const at = place.address !== undefined ? place : all.find(each => each.address !== undefined && each.layer === place.host && path.startsWith(`${each.path}.`))
  const canLose = (kind === 'selfAttention' || kind === 'windowAttention') && at !== undefined && (at === place || at.layer.definition.kind === 'encoderBlock')
  if (!canLose) return left(problem('noHeads', `pruneHeads: '${path}' is a layer (${kind}) whose heads cannot be taken away`, { path, remedy: `such layers are ${named.filter(each => /^(self|window)Attention$/.test(each.layer.definition.kind)).slice(0, 6).map(each => each.path).join(', ') || 'selfAttention and windowAttention'}` }))
  const numHeads = config['numHeads'] as number
  const odd = gone.find(head => !(Number.isInteger(head) && head >= 0 && head < numHeads))
  if (odd !== undefined) return left(problem('noSuchHead', `pruneHeads: '${path}' has heads 0 to ${numHeads - 1}, but no ${odd}`, { path }))
  const heads = Array.from({ length: numHeads }, (_, head) => head).filter(head => !gone.includes(head))
  if (heads.length === 0) return left(problem('allHeads', `pruneHeads: nothing is left of '${path}'`, { path, remedy: 'keep at least one head' }))
  return right({ path, at, heads, headDim: (config['headDim'] as number | undefined) ?? (place.input as readonly number[])[1]! / numHeads, naming: config['naming'] })
}

/** Of one weight of an attention what is of the heads that stay; `shape` is what it has then. */
const ofHeads = (values: Float32Array, name: string, { heads, headDim }: Kept, shape: Shape): Float32Array => {
  if (/^(qkv\.|in_proj_)/.test(name)) {
    // Rows of queries, keys and values, each head by head; a bias has rows of one number.
    const block = headDim * (shape[1] ?? 1)
    const all = values.length / (3 * block)
    return joined([0, 1, 2].flatMap(part => heads.map(head => values.subarray((part * all + head) * block, (part * all + head + 1) * block))))
  }
  const block = name === 'relative_position_bias_table' ? 1 : /^(proj|out_proj)\.weight$/.test(name) ? headDim : undefined
  if (block === undefined) return values
  const [rows, width] = [shape[0]!, values.length / shape[0]!]
  return joined(Array.from({ length: rows }, (_, row) => heads.map(head => values.subarray(row * width + head * block, row * width + (head + 1) * block))).flat())
}

const joined = (parts: readonly Float32Array[]): Float32Array => {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  parts.reduce((at, part) => (all.set(part, at), at + part.length), 0)
  return all
}
