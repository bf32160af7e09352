import type { CrossAttentionConfig } from '../../layers/crossAttention.js'
import type { GatedPositionalAttentionConfig } from '../../layers/gatedPositionalAttention.js'
import type { RelativeAttention2dConfig } from '../../layers/relativeAttention2d.js'
import type { SelfAttentionConfig } from '../../layers/selfAttention.js'
import type { WindowAttentionConfig } from '../../layers/windowAttention.js'
import { activate, logistic } from './activations.js'
import { mapped, onArray } from './channels.js'
import { at, numbers, project, shaped, softmaxOf, standardised, type Numbers } from './numbers.js'
import type { OracleWindow, Place, Run } from './oracle.js'

// Attention between tokens, written out for one query of one head at a time (Vaswani et al., 2017, section 3.2.1).

/** One vector for each token in each head: `[heads][tokens] → headDim numbers`. */
type Heads = readonly (readonly Float64Array[])[]

/** Cuts channels into heads; `where` says at which channel the vector of a head begins. */
const cut = (x: Numbers, numHeads: number, headDim: number, where: (head: number) => number): Heads =>
  Array.from({ length: numHeads }, (_, head) =>
    Array.from({ length: x.shape[0]! }, (_, token) => x.data.slice(token * x.shape[1]! + where(head), token * x.shape[1]! + where(head) + headDim)))

const dot = (a: Float64Array, b: Float64Array): number => {
  let total = 0
  for (let i = 0; i < a.length; i++) total += a[i]! * b[i]!
  return total
}

/** Row `query` of the attention of a head: what it takes of each key, summing to 1. */
type Weighing = (head: number, query: number) => ArrayLike<number>

/** The values of all heads side by side, as their weights mix them: `[tokens, heads · headDim]`. */
const mixed = (values: Heads, weigh: Weighing, tokens = values[0]!.length): Numbers => {
  const headDim = values[0]![0]!.length
  const data = new Float64Array(tokens * values.length * headDim)
  values.forEach((ofHead, head) => {
    for (let query = 0; query < tokens; query++) {
      const weights = weigh(head, query)
      const into = (query * values.length + head) * headDim
      ofHead.forEach((value, key) => {
        for (let c = 0; c < headDim; c++) data[into + c]! += weights[key]! * value[c]!
      })
    }
  })
  return { shape: [tokens, values.length * headDim], data }
}

type Score = (head: number, query: number, key: number) => number

/** Softmax of the scaled products of queries and keys, with something added to each score. */
const byContent = (queries: Heads, keys: Heads, scale: number, shift: Score): Weighing => (head, query) =>
  softmaxOf(keys[head]!.map((key, j) => scale * dot(queries[head]![query]!, key) + shift(head, query, j)))

/** Rao et al., 2021, equation 11: dropped keys weigh nothing but for themselves, and a millionth is shared by all. */
const amongKept = (queries: Heads, keys: Heads, scale: number, policy: Numbers, mask: (query: number, key: number) => number): Weighing => (head, query) => {
  const scores = keys[head]!.map((key, j) => scale * dot(queries[head]![query]!, key) + mask(query, j))
  const largest = Math.max(...scores)
  const shares = scores.map((score, j) => Math.exp(score - largest) * (j === query ? 1 : policy.data[j]!))
  const total = shares.reduce((a, b) => a + b, 0)
  return shares.map(share => (share + 1e-6 / shares.length) / (total + 1e-6))
}

/** −100 between tokens of a shifted window that were no neighbours (Liu et al., 2021, section 3.2). */
const masked = (window: OracleWindow | undefined) => (query: number, key: number): number => (window?.sees?.(query, key) === false ? -100 : 0)

export const selfAttention = (place: Place, { numHeads, headDim: given, qkvBias = true, projBias = true, qkNorm = false, epsilon = 1e-6, scale, causal = false, naming = 'timm' }: SelfAttentionConfig<number>): Run => (signal, window) => {
  const x = signal as Numbers
  const dim = x.shape[1]!
  const headDim = given ?? dim / numHeads
  const inner = numHeads * headDim
  const packed = naming === 'timm' ? mapped(x, place.at('qkv'), 3 * inner, qkvBias) : project(x, place.weight('in_proj_weight', 3 * inner, dim), qkvBias ? place.weight('in_proj_bias', 3 * inner) : undefined)
  const part = (i: number): Heads => cut(packed, numHeads, headDim, head => i * inner + head * headDim)
  const normed = (heads: Heads, name: string): Heads => {
    if (!qkNorm) return heads
    const [scale, shift] = ['weight', 'bias'].map(p => place.at(name).weight(p, headDim).data) as [Float64Array, Float64Array]
    return heads.map(tokens => tokens.map(v => standardised(v, epsilon).map((value, c) => value * scale[c]! + shift[c]!)))
  }
  const near = masked(window)
  const mask = (query: number, key: number): number => (causal && key > query ? -Infinity : near(query, key))
  const [queries, keys, factor] = [normed(part(0), 'q_norm'), normed(part(1), 'k_norm'), scale ?? 1 / Math.sqrt(headDim)]
  const weigh = window?.policy === undefined ? byContent(queries, keys, factor, (_, query, key) => mask(query, key)) : amongKept(queries, keys, factor, window.policy, mask)
  return mapped(mixed(part(2), weigh), place.at(naming === 'timm' ? 'proj' : 'out_proj'), dim, projBias)
}

/** Vaswani et al., 2017, section 3.2.3, with the weights of PyTorch's `MultiheadAttention`, or with maps of their own. */
export const crossAttention = (place: Place, { numHeads, bias = true, scale, naming = 'torch' }: CrossAttentionConfig<number>): Run => record => {
  const given = record as { readonly x: Numbers; readonly memory: Numbers; readonly keys?: Numbers }
  const flat = (t: Numbers): Numbers => shaped(t, t.data.length / t.shape.at(-1)!, t.shape.at(-1)!)
  const [x, memory, keys] = [flat(given.x), flat(given.memory), flat(given.keys ?? given.memory)]
  const dim = x.shape[1]!
  const map = (weight: string, shift: string, count: number) => (t: Numbers): Numbers => project(t, place.weight(weight, count * dim, dim), bias ? place.weight(shift, count * dim) : undefined)
  const own = (name: string, count = 1) => map(`${name}.weight`, `${name}.bias`, count)
  const all = map('in_proj_weight', 'in_proj_bias', 3)
  // Of queries, keys and values: what they are cut from, and at which channel they begin there.
  const parts = { torch: [[all, 0], [all, 1], [all, 2]], 'q,kv': [[own('q'), 0], [own('kv', 2), 0], [own('kv', 2), 1]], 'q,k,v': [[own('q'), 0], [own('k'), 0], [own('v'), 0]] } as const
  const part = (t: Numbers, i: 0 | 1 | 2): Heads => cut(parts[naming][i][0](t), numHeads, dim / numHeads, head => parts[naming][i][1] * dim + (head * dim) / numHeads)
  return shaped(mapped(mixed(part(memory, 2), byContent(part(x, 0), part(keys, 1), scale ?? Math.sqrt(numHeads / dim), () => 0), x.shape[0]!), place.at(naming === 'torch' ? 'out_proj' : 'proj'), dim, bias), ...given.x.shape)
}

/** A learned number for how far the key lies from the query, counted from the smallest distance up. */
const byDistance = (table: Numbers, [height, width]: readonly [number, number]): Score => (head, query, key) => {
  const down = Math.floor(query / width) - Math.floor(key / width)
  const across = (query % width) - (key % width)
  return at(table, (down + height - 1) * (2 * width - 1) + (across + width - 1), head)
}

/** Liu et al., 2021, equation 4. */
export const windowAttention = (place: Place, { numHeads, headDim: given, windowSize, qkvBias = true, scale }: WindowAttentionConfig<number, number, number | readonly [number, number]>): Run => (signal, window) => {
  const x = signal as Numbers
  const [tokens, dim] = x.shape as readonly [number, number]
  const headDim = given ?? dim / numHeads
  const inner = numHeads * headDim
  const side = Math.round(Math.sqrt(tokens))
  const size = window?.size ?? (windowSize === undefined ? [side, side] as const : typeof windowSize === 'number' ? [windowSize, windowSize] as const : windowSize)
  const table = place.weight('relative_position_bias_table', (2 * size[0] - 1) * (2 * size[1] - 1), numHeads)
  const packed = mapped(x, place.at('qkv'), 3 * inner, qkvBias)
  const part = (i: number): Heads => cut(packed, numHeads, headDim, head => i * inner + head * headDim)
  const [mask, distance] = [masked(window), byDistance(table, size)]
  const weigh = byContent(part(0), part(1), scale ?? 1 / Math.sqrt(headDim), (head, query, key) => distance(head, query, key) + mask(query, key))
  return mapped(mixed(part(2), weigh), place.at('proj'), dim, true)
}

/** d'Ascoli et al., 2021, equations 5 to 7, as their code: no position score is scaled, and rows are divided by their sum. */
export const gatedPositionalAttention = (place: Place, { numHeads, grid, qkvBias = false }: GatedPositionalAttentionConfig<number, number, number>): Run =>
  onArray(x => {
    const [tokens, dim] = x.shape as readonly [number, number]
    const headDim = dim / numHeads
    const columns = grid?.[1] ?? Math.round(Math.sqrt(tokens))
    const qk = mapped(x, place.at('qk'), 2 * dim, qkvBias)
    const [queries, keys] = [0, dim].map(begin => cut(qk, numHeads, headDim, head => begin + head * headDim)) as [Heads, Heads]
    const values = cut(mapped(x, place.at('v'), dim, qkvBias), numHeads, headDim, head => head * headDim)
    const [slope, shift, gates] = [place.weight('pos_proj.weight', numHeads, 3), place.weight('pos_proj.bias', numHeads), place.weight('gating_param', numHeads)]
    const content = byContent(queries, keys, 1 / Math.sqrt(headDim), () => 0)
    const position: Weighing = (head, query) =>
      softmaxOf(Array.from({ length: tokens }, (_, key) => {
        const dx = (key % columns) - (query % columns)
        const dy = Math.floor(key / columns) - Math.floor(query / columns)
        return at(slope, head, 0) * dx + at(slope, head, 1) * dy + at(slope, head, 2) * (dx ** 2 + dy ** 2) + at(shift, head)
      }))
    const weigh: Weighing = (head, query) => {
      const [gate, here, there] = [logistic(at(gates, head)), content(head, query), position(head, query)]
      const row = Array.from(here, (_, key) => (1 - gate) * here[key]! + gate * there[key]!)
      const total = row.reduce((a, b) => a + b)
      return row.map(weight => weight / total)
    }
    return mapped(mixed(values, weigh), place.at('proj'), dim, true)
  })

/** CoAtNet's (Dai et al., 2021, section 2.1) as timm stores it: one pixel's convolutions, and of each head q, k, v in turn. */
export const relativelyAttended = (x: Numbers, place: Place, { dim: out, headDim = 32, expandFirst = true, bias = true, positions = 'table', positionDim = 512 }: RelativeAttention2dConfig<number, number, boolean>): Numbers => {
  const [height, width, channels] = x.shape as readonly [number, number, number]
  const dim = out ?? channels
  const inner = expandFirst ? dim : channels
  const numHeads = inner / headDim
  const pointwise = (t: Numbers, name: string, to: number): Numbers => project(t, place.weight(`${name}.weight`, to, t.shape.at(-1)!, 1, 1), bias ? place.weight(`${name}.bias`, to) : undefined)
  const packed = pointwise(shaped(x, height * width, channels), 'qkv', 3 * inner)
  const part = (i: number): Heads => cut(packed, numHeads, headDim, head => (3 * head + i) * headDim)
  const weigh = byContent(part(0), part(1), 1 / Math.sqrt(headDim), positionScore(place.at('rel_pos'), positions, [height, width], numHeads, positionDim))
  return shaped(pointwise(mixed(part(2), weigh), 'proj', dim), height, width, dim)
}

const positionScore = (place: Place, kind: 'table' | 'mlp' | 'grid' | 'none', [height, width]: readonly [number, number], numHeads: number, hidden: number): Score => {
  const name = 'relative_position_bias_table'
  if (kind === 'none') return () => 0
  if (kind === 'table') return byDistance(place.weight(name, (2 * height - 1) * (2 * width - 1), numHeads), [height, width])
  const [rowOf, columnOf] = [(token: number): number => Math.floor(token / width), (token: number): number => token % width]
  if (kind === 'grid') {
    const table = place.weight(name, numHeads, 2 * height - 1, 2 * width - 1)
    return (head, query, key) => at(table, head, rowOf(key) - rowOf(query) + height - 1, columnOf(key) - columnOf(query) + width - 1)
  }
  // Liu et al., 2022, "Swin V2", section 3.3: a network of the distances' logarithms.
  const logarithm = (distance: number): number => Math.sign(distance) * Math.log(1 + Math.abs(distance))
  const known = new Map<string, Numbers>()
  const network = (down: number, across: number): Numbers => {
    const x = numbers([2], i => logarithm(i === 0 ? down : across))
    const inside = mapped(x, place.at('mlp.fc1'), hidden, true)
    return mapped({ ...inside, data: inside.data.map(activate.relu) }, place.at('mlp.fc2'), numHeads, true)
  }
  return (head, query, key) => {
    const [down, across] = [rowOf(query) - rowOf(key), columnOf(query) - columnOf(key)]
    const place = `${down},${across}`
    if (!known.has(place)) known.set(place, network(down, across))
    return at(known.get(place)!, head)
  }
}

export const relativeAttention2d = (place: Place, config: RelativeAttention2dConfig<number, number, boolean> = {}): Run => onArray(x => relativelyAttended(x, place, config))
