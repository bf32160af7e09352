import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { activationBytes } from '../../src/graph/cost.js'
import { backwardOrder, gradient } from '../../src/graph/gradient/gradient.js'
import { collectNodes, parametersOf, type Graph } from '../../src/graph/graph.js'
import { trace } from '../../src/graph/trace.js'
import { validate } from '../../src/graph/validate.js'
import * as vitrail from '../../src/index.js'
import { batchNorm, conv2d, dropout, encoderBlock, fanOut, gelu, globalPool, identity, input, layerNorm, linear, merge, remat, repeat, residual, selfAttention, serial, windows, type AnyLayer, type AnyModel, type Mode } from '../../src/index.js'
import * as ops from '../../src/ops/ops.js'
import { isOp, type Tensor } from '../../src/ops/tensor.js'
import { optimise } from '../../src/passes/pipeline.js'
import { mulberry32 } from '../../src/weights/mulberry32.js'
import { fnv1a32 } from '../../src/weights/fnv1a32.js'
import { evaluateGraph, type Leaves } from '../evaluateGraph.js'
import { valueOf } from '../support/either.js'

const traced = (model: unknown, mode: Mode = 'training'): Graph => valueOf(trace(model as AnyModel, { mode }))

/** Numbers by the name of a leaf, the same whichever graph asks. */
const leaves: Leaves = (node, count) => {
  const isMask = isOp(node, 'dropMask')
  const draw = mulberry32(fnv1a32(isMask ? node.attributes.stream : (node.attributes as { readonly name: string }).name))
  return Float64Array.from({ length: count }, () => (isMask ? ((draw() / 2 ** 32 < node.attributes.keep) ? 1 / node.attributes.keep : 0) : draw() / 2 ** 31 - 1))
}

/** The mean square of what a model gives, its gradients by parameter name, and the roots in order. */
const step = (graph: Graph) => {
  const output = graph.output as Tensor
  const loss = ops.batchMean(ops.sum(ops.multiply(output, output), output.shape.map((_, axis) => axis)))
  const gradients = gradient(loss, [graph.inputs as Tensor, ...parametersOf(graph)])
  const roots = optimise(backwardOrder(loss, gradients)) as readonly Tensor[]
  return { loss, gradients, roots }
}
const evaluated = (graph: Graph): ReadonlyMap<string, readonly number[]> => {
  const { gradients, roots } = step(graph)
  const values = evaluateGraph(roots, 2, leaves)
  return new Map([...gradients.of.keys()].reverse().map((t, i) => [(t as Tensor<'parameter'>).attributes.name, Array.from(values[i + 1]!.data)]))
}
const peak = (graph: Graph): number => {
  const { roots } = step(graph)
  return activationBytes({ nodes: collectNodes(roots), output: roots[0]! })
}

const block = (inner: (layer: AnyLayer) => AnyLayer): AnyLayer => repeat(8, inner(encoderBlock({ numHeads: 2, dropout: 0.1, dropPath: 0.1, attentionDropout: 0.1 }))) as AnyLayer
const deep = (inner: (layer: AnyLayer) => AnyLayer): unknown => (linear(3) as (m: unknown) => unknown)((block(inner) as unknown as (m: unknown) => unknown)(input(9, 16)))

describe('a layer that is computed a second time', () => {
  const [kept, again] = [traced(deep(layer => layer)), traced(deep(layer => remat(layer)))]

  it('has the same parameters, and the same gradients, in training with everything that drops', () => {
    expect(again.parameters.map(p => p.attributes.name)).toEqual(kept.parameters.map(p => p.attributes.name))
    const [before, after] = [evaluated(kept), evaluated(again)]
    expect([...after.keys()]).toEqual([...before.keys()])
    expect(before.size).toBe(8 * 12 + 3)
    for (const [name, values] of before) values.forEach((value, i) => expect(Math.abs(after.get(name)![i]! - value), name).toBeLessThan(1e-9 * Math.max(1, Math.abs(value))))
  })

  it('holds less at once', () => {
    expect(peak(again)).toBeLessThan(0.3 * peak(kept))
  })

  it('runs late: what it computes again waits for the gradient that needs it', () => {
    const nodes = collectNodes(step(again).roots)
    const at = new Map(nodes.map((n, i) => [n, i]))
    const loss = at.get(step(again).roots[0]!) ?? nodes.findIndex(n => isOp(n, 'batchMean'))
    const waiting = nodes.filter((n): n is Tensor<'after'> => isOp(n, 'after'))
    expect(waiting).toHaveLength(8)
    for (const n of waiting) expect(at.get(n)!).toBeGreaterThan(loss)
    expect(nodes.filter(n => n.op === 'remat')).toEqual([])
  })

  it('is nothing but the layer where nothing is trained', () => {
    expect(vitrail.print([traced(deep(layer => remat(layer)), 'inference').output])).toBe(vitrail.print([traced(deep(layer => layer), 'inference').output]))
  })

  const others: Readonly<Record<string, (mark: (layer: AnyLayer) => AnyLayer) => unknown>> = {
    'inside another such layer': mark => pipe(input(5, 8), mark(serial(mark(linear(6)), gelu(), mark(linear(4)))) as never),
    'that gives several signals': mark => pipe(input(5, 8), mark(fanOut({ a: linear(4), b: serial(gelu(), linear(4)) })) as never, merge('add') as never),
    'that gives what it takes': mark => pipe(input(5, 8), mark(identity()) as never, linear(2) as never),
    'with statistics of the batch': mark => pipe(input(4, 4, 3), mark(serial(conv2d({ dim: 4, kernelSize: 3, padding: 1 }), batchNorm(), gelu())) as never, globalPool() as never),
    'in windows': mark => pipe(input(4, 4, 8), windows({ windowSize: 2, shift: 1 }, residual(mark(serial(layerNorm(), selfAttention({ numHeads: 2 }), dropout(0.2))) as never) as never) as never),
  }
  it.each(Object.entries(others))('%s', (_, make) => {
    const [before, after] = [traced(make(layer => layer)), traced(make(layer => remat(layer)))]
    expect(validate([after.output])).toEqual([])
    expect(validate(step(after).roots)).toEqual([])
    const [plain, marked] = [evaluated(before), evaluated(after)]
    expect([...marked.keys()]).toEqual([...plain.keys()])
    for (const [name, values] of plain) values.forEach((value, i) => expect(Math.abs(marked.get(name)![i]! - value), name).toBeLessThan(1e-9 * Math.max(1, Math.abs(value))))
  })
})

describe('gradients in the order of backwardOrder', () => {
  it('hold less at once than in the order of the parameters', () => {
    const { loss, gradients } = step(traced(deep(layer => layer)))
    const bytes = (roots: readonly Tensor[]): number => activationBytes({ nodes: collectNodes(roots), output: loss })
    expect(bytes(backwardOrder(loss, gradients))).toBeLessThanOrEqual(bytes([loss, ...gradients.of.values()]))
  })
})
