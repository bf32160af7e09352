import { validate } from '../../graph/validate.js'
import { pipeline } from '../../passes/pipeline.js'
import type { Signal, Tensor } from '../../ops/tensor.js'
import { evaluate } from './core/evaluate.js'
import { byName } from './core/feeds.js'
import { broken, defineLaw, kept, silent } from './core/law.js'
import { differentiated } from './core/lossOf.js'

/** Every pass leaves gradients what they were: those of the passed graph, and the passed gradients. */
export const passesKeepGradients = defineLaw({
  name: 'passesKeepGradients',
  title: 'every pass preserves gradients',
  meaning: 'A pass rewrites a graph into one with another gradient, or makes another one of the backward pass: look at the pass that is named.',
  cost: 'few',
  judge: subject => {
    const graph = subject.graph('training')
    const { loss, wanted, gradients } = differentiated(graph)
    const roots = [loss, ...wanted.flatMap(x => (gradients.of.has(x) ? [gradients.of.get(x)!] : []))]
    if (roots.length === 1) return silent('there is nothing to differentiate by')
    const leaves = { batch: 2, inputs: byName(graph.inputs, subject.feed(2)), weights: subject.weights, seed: 2 }
    const before = evaluate(roots, leaves)
    let passed: readonly Signal[] = roots
    for (const [name, pass] of pipeline) {
      passed = pass(passed)
      const faults = validate(passed)
      if (faults.length > 0) return broken(`after ${name} the backward pass is not legal: ${faults[0]}`)
      const after = evaluate(passed as readonly Tensor[], leaves)
      const at = before.findIndex(({ data }, i) => {
        const scale = data.reduce((most, g) => Math.max(most, Math.abs(g)), 1e-3)
        return after[i]!.data.length !== data.length || data.some((g, j) => !(Math.abs(g - after[i]!.data[j]!) <= 1e-5 * scale))
      })
      if (at >= 0) return broken(`after ${name}, ${at === 0 ? 'the loss' : 'a gradient'} is another one`)
    }
    return kept()
  },
})
