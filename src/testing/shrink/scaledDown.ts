import { trace } from '../../graph/trace.js'
import { model, type AnyModel } from '../../layers/core/model.js'
import type { AnyLayer } from '../../layers/core/layer.js'
import { mapLayer } from '../../layers/mapLayer.js'
import { layerToSource } from '../source/toSource.js'
import { isOfLibrary } from '../source/valueToSource.js'
import { layersIn } from './countLayers.js'
import { mapNumbers, numbersOf } from './mapNumbers.js'
import { traces } from './smallerModels.js'

/** Sizes to scale to: small, yet such that heads, windows and patches of more than one still fit. */
const targets = [5, 6, 7, 8, 9, 10, 12, 14, 15, 16, 18, 20, 24, 27, 28, 30, 32, 36, 40, 48, 56, 60, 64, 96, 112, 128, 160, 192] as const

/** Where sizes are still above this, windows, kernels and patches become smaller too. */
const large = 48

/**
 * The same architecture at the smallest sizes at which it still traces: every number above 8 becomes a small one, the
 * same everywhere. Of two numbers the larger stays the larger, so that axes are not taken for each other and maps
 * keep several windows; where sizes would stay large for that, numbers only stay different. It computes by the same ops
 * as before, where that can be. Blocks that repeat do so twice.
 *
 * @example
 * scaledDown(pipe(input(197, 192), repeat(12, encoderBlock({ numHeads: 3 })))).input // { shape: [7, 6], dtype: 'float32' }
 */
export const scaledDown = (m: AnyModel): AnyModel => {
  const short = shortened(m)
  if (opsOf(short) === undefined) return m
  const isLarge = (small: AnyModel): boolean => Math.max(...numbersOf(small)) > large
  const ordered = (n: number, taken: readonly number[]): readonly number[] => targets.filter(target => target > Math.max(0, ...taken.filter(other => other < n)))
  const apart = (_: number, taken: readonly number[]): readonly number[] => targets.filter(target => !taken.includes(target))
  const sizes = (n: number): boolean => n > 8
  let small = withSmaller(short, sizes, ordered)
  if (isLarge(small)) small = withSmaller(small, sizes, apart)
  // The last resort: smaller windows and kernels, and maps that one window covers.
  return isLarge(small) ? withSmaller(withSmaller(small, n => n > 3 && n <= 8, () => [2, 3, 4], false), sizes, apart, false) : small
}

/** A model with each of some numbers made as small as it can be: first from the smallest up, since others are their multiples, then from the largest down. */
const withSmaller = (m: AnyModel, isMeant: (n: number) => boolean, lower: (n: number, taken: readonly number[]) => readonly number[], keepsOps = true): AnyModel => {
  const ops = opsOf(m)
  let small = m
  for (const up of [1, -1]) {
    for (const n of [...new Set(numbersOf(small))].filter(isMeant).sort((a, b) => up * (a - b))) {
      for (const target of lower(n, numbersOf(small))) {
        if (target >= n) break
        const scaled = mapNumbers(small, v => (v === n ? target : v))
        if (keepsOps ? opsOf(scaled) !== ops : !traces(scaled)) continue
        small = scaled
        break
      }
    }
  }
  return small
}

/** How many ops of each kind a model is made of; nothing where it does not trace. */
const opsOf = (m: AnyModel): string | undefined => {
  const graph = trace(m)
  if (graph._tag === 'Left' || !traces(m)) return undefined
  const counts: Record<string, number> = {}
  for (const { op } of graph.right.nodes) counts[op] = (counts[op] ?? 0) + 1
  return JSON.stringify(Object.entries(counts).sort())
}

/** A model whose repeats are cut to two, or to one of each block where blocks differ; itself where it then does not trace. */
export const shortened = (m: AnyModel): AnyModel => {
  const short: AnyModel = model(m.input, m.layers.map(layer => mapLayer(layer, inner => (isOfLibrary(inner) && inner.definition.kind === 'repeat' ? cut(inner) : inner))))
  return traces(short) ? short : m
}

const cut = (layer: AnyLayer): AnyLayer => {
  const { make, args } = layer.definition
  const [times, block, ...rest] = args
  const blocks = [...new Map(layersIn(block, args).map(one => [layerToSource(one), one])).values()]
  if (typeof times !== 'number' || blocks.length === 0) return layer
  const given = blocks.length > 1 ? (index: number) => blocks[index] : blocks[0]
  return make(...([Math.min(times, Math.max(2, blocks.length)), given, ...rest] as never[]))
}
