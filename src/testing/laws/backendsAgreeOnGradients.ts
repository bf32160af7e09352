import { openSession } from '../../backends/openSession.js'
import { isOp, type Tensor } from '../../ops/tensor.js'
import { collectNodes } from '../../graph/graph.js'
import { evaluate } from './core/evaluate.js'
import { byName } from './core/feeds.js'
import { broken, defineLaw, kept, silent } from './core/law.js'
import { differentiated } from './core/lossOf.js'
import { need } from './core/subject.js'
import { toleranceOf } from './core/tolerance.js'

/** Gradients on every backend are those of the definition, within the tolerance of their least exact op. */
export const backendsAgreeOnGradients = defineLaw({
  name: 'backendsAgreeOnGradients',
  title: 'backends agree with the definition on gradients',
  meaning: 'A lowering or a kernel of the backward pass computes something else than its op: look at the lowerings of the ops of the smallest recipe that still fails.',
  cost: 'few',
  judge: async subject => {
    const graph = subject.graph('training')
    const { loss, wanted, gradients } = differentiated(graph)
    const reached = wanted.filter(x => gradients.of.has(x))
    if (reached.length === 0) return silent('there is nothing to differentiate by')
    const nameOf = (x: Tensor): string => (isOp(x, 'parameter') || isOp(x, 'input') ? x.attributes.name : x.op)
    const roots = [loss, ...reached.map(x => gradients.of.get(x)!)]
    const feed = subject.feed(2)
    const defined = evaluate(roots, { batch: 2, inputs: byName(graph.inputs, feed), weights: subject.weights, seed: 1 })
    const tolerance = toleranceOf({ nodes: collectNodes(roots) })
    // A gradient that cancels to almost nothing is measured by the others.
    const largest = Math.max(1e-3, ...defined.slice(1).map(({ data }) => data.reduce((most, g) => Math.max(most, Math.abs(g)), 0)))
    for (const backend of subject.backends) {
      const outputs = Object.fromEntries(roots.map((root, i) => [`g${i}`, root]))
      const session = need(await openSession({ step: { inputs: graph.inputs, outputs } }, { backend, weights: subject.weights })())
      try {
        const ran = need(await session.run('step', feed, { seed: 1 })())
        for (const [i, { data }] of defined.entries()) {
          const given = ran[`g${i}`] as Float32Array
          // The loss is a sum of numbers about 1, most of which cancel.
          const scale = Math.max(i === 0 ? 1 : 1e-2 * largest, data.reduce((most, g) => Math.max(most, Math.abs(g)), 0))
          const at = data.findIndex((g, j) => !(Math.abs(g - given[j % given.length]!) <= tolerance * scale))
          if (at >= 0) return broken(`on ${backend.name}, ${i === 0 ? 'the loss' : `the gradient of '${nameOf(reached[i - 1]!)}'`} is ${given[at % given.length]} at ${at}, not ${data[at]}`)
        }
      } finally {
        session.dispose()
      }
    }
    return kept()
  },
})
