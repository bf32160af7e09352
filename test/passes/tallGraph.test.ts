import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gradient } from '../../src/graph/gradient/gradient.js'
import { collectNodes } from '../../src/graph/graph.js'
import { print } from '../../src/graph/print.js'
import { validate } from '../../src/graph/validate.js'
import { tensorsOf, type Tensor } from '../../src/ops/tensor.js'
import { gatherMoves } from '../../src/passes/gatherMoves.js'
import { narrowRows } from '../../src/passes/narrowRows.js'
import { optimise } from '../../src/passes/pipeline.js'
import { evaluateGraph } from '../evaluateGraph.js'
import { leaves } from './randomGraph.js'
import { tallGraph, withGradients, type TallGraph } from './tallGraph.js'

const isDeep = process.env['VITRAIL_DEEP'] === '1'
const holds = (property: (graph: TallGraph) => void, numRuns: number): void => fc.assert(fc.property(tallGraph, graph => void property(graph)), { seed: 21, numRuns: isDeep ? 20 * numRuns : numRuns })

/** Nothing where two lists of roots compute the same but for rounding in double precision, or where they differ. */
const difference = (before: readonly Tensor[], after: readonly Tensor[], batch: number): string => {
  const [old, now] = [evaluateGraph(before, batch, leaves), evaluateGraph(after, batch, leaves)]
  const wrong = old.flatMap(({ data }, root) => [...data].flatMap((value, i) => (Math.abs(now[root]!.data[i]! - value) <= 1e-8 * Math.max(1, Math.abs(value)) || Object.is(value, now[root]!.data[i]) ? [] : [`root ${root}, element ${i}: ${now[root]!.data[i]} for ${value}`])))
  return wrong.length === 0 ? '' : `${wrong[0]} in\n${print(before)}`
}

describe('graphs of which few rows are needed', () => {
  it.each([['narrowRows', narrowRows], ['gatherMoves', gatherMoves], ['all passes', optimise]] as const)('compute what they did after %s, and so do their gradients', (_, pass) => {
    let changed = 0
    holds(graph => {
      const roots = withGradients(graph)
      const after = pass(roots) as readonly Tensor[]
      expect(validate(after)).toEqual([])
      for (const batch of [1, 3]) expect(difference(roots, after, batch)).toBe('')
      changed += Number(print(after) !== print(roots))
    }, 400)
    expect(changed).toBeGreaterThan(10)
  })

  it('have the gradients that they had before the passes', () => {
    holds(graph => {
      const [loss] = optimise([graph.loss]) as readonly [Tensor]
      // Leaves are the same nodes after a pass.
      const [before, after] = [graph.loss, loss].map(of => gradient(of, graph.leaves).of)
      const known = graph.leaves.filter(leaf => before!.has(leaf) && after!.has(leaf))
      expect(difference(known.map(leaf => before!.get(leaf)!), known.map(leaf => after!.get(leaf)!), 2)).toBe('')
    }, 100)
  })

  it('become every op that passes make, but for convolutions and attention on one tensor', () => {
    const seen = new Set<string>()
    holds(graph => collectNodes(optimise(withGradients(graph)).flatMap(tensorsOf)).forEach(n => seen.add(n.op)), 300)
    expect([...seen]).toEqual(expect.arrayContaining(['groupNorm', 'fusedLinear', 'elementwise', 'linearWeightGradient', 'layerNormGradient', 'softmaxGradient', 'geluGradient', 'gather']))
  })

  it('are often narrowed where each row is computed', () => {
    let narrowed = 0
    const sizes = (roots: readonly Tensor[]): number => collectNodes(roots).reduce((sum, { shape }) => sum + shape.reduce((n, size) => n * size, 1), 0)
    holds(graph => void (narrowed += Number(sizes(narrowRows(withGradients(graph)) as readonly Tensor[]) < sizes(withGradients(graph)))), 150)
    expect(narrowed).toBeGreaterThan(20)
  })
})
