import type { RelativeTokenAttentionConfig } from '../../layers/relativeTokenAttention.js'
import { mapped, onArray } from './channels.js'
import { at, numbers, project, softmaxOf, type Numbers } from './numbers.js'
import type { Place, Run } from './oracle.js'

// AutoFormer's attention, written out query by query, as microsoft/Cream's `AttentionSuper` of one network has it.

/** The vector of a table for how far a key is from a query, by rows and by columns; row 0 is of the class token. */
type Distance = (table: Numbers, query: number, key: number, channel: number) => number

export const relativeTokenAttention = (place: Place, config: RelativeTokenAttentionConfig<number>): Run =>
  onArray(x => {
    const { numHeads, headDim = 64, qkvBias = true, packing = 'interleaved', positions = 'relative', maxDistance = 14, columns, scale = 1 / Math.sqrt(headDim), gain = 1 } = config
    const [count, dim] = [x.shape[0]!, x.shape[1]!]
    const inner = numHeads * headDim
    const rows = place.at('qkv').weight('weight', 3 * inner, dim)
    const biases = qkvBias ? place.at('qkv').weight('bias', 3 * inner) : undefined
    const part = (i: number): Numbers =>
      project(x, numbers([inner, dim], (row, c) => at(rows, packing === 'blocks' ? i * inner + row : 3 * row + i, c)), biases === undefined ? undefined : numbers([inner], row => biases.data[i * inner + row]!))
    const [q, k, v] = [part(0), part(1), part(2)]
    const tables = (of: string): readonly [Numbers, Numbers] => ['v', 'h'].map(way => place.at(`rel_pos_embed_${of}`).weight(`embeddings_table_${way}`, 2 * maxDistance + 2, headDim)) as [Numbers, Numbers]
    const across = columns ?? Math.max(1, Math.floor(Math.sqrt(count - 1)))
    const clipped = (far: number): number => 1 + maxDistance + Math.min(maxDistance, Math.max(-maxDistance, far))
    const down: Distance = (table, query, key, c) => at(table, query * key === 0 ? 0 : clipped(Math.floor((key - 1) / across) - Math.floor((query - 1) / across)), c)
    const over: Distance = (table, query, key, c) => at(table, query * key === 0 ? 0 : clipped(((key - 1) % across) - ((query - 1) % across)), c)
    const vectors = (of: string) => {
      if (positions === 'none') return () => 0
      const [rowsApart, columnsApart] = tables(of)
      return (query: number, key: number, c: number): number => down(rowsApart, query, key, c) + over(columnsApart, query, key, c)
    }
    const [ofKeys, ofValues] = [vectors('k'), vectors('v')]
    const sum = (terms: number, term: (i: number) => number): number => Array.from({ length: terms }, (_, i) => term(i)).reduce((a, b) => a + b, 0)
    const weights = Array.from({ length: numHeads * count }, (_, i) => {
      const [head, query] = [Math.floor(i / count), i % count]
      return softmaxOf(Array.from({ length: count }, (_key, key) => scale * sum(headDim, c => at(q, query, head * headDim + c) * (at(k, key, head * headDim + c) + ofKeys(query, key, c)))))
    })
    const mixed = numbers([count, inner], (query, channel) => {
      const [head, c] = [Math.floor(channel / headDim), channel % headDim]
      return gain * sum(count, key => weights[head * count + query]![key]! * (at(v, key, channel) + ofValues(query, key, c)))
    })
    return mapped(mixed, place.at('proj'), dim, true)
  })
