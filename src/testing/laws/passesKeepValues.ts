import { validate } from '../../graph/validate.js'
import { tensorsOf, type Signal } from '../../ops/tensor.js'
import { pipeline } from '../../passes/pipeline.js'
import { evaluate } from './core/evaluate.js'
import { byName } from './core/feeds.js'
import { broken, defineLaw, kept } from './core/law.js'
import { definedOutcome, difference } from './core/outcome.js'

/** Every pass, and all of them in order, leave the graph legal and its values what they were. */
export const passesKeepValues = defineLaw({
  name: 'passesKeepValues',
  title: 'every pass preserves values',
  meaning: 'A pass rewrites this graph into another one: look at the pass that is named, and at the op it fails on.',
  cost: 'few',
  judge: subject => {
    const feed = subject.feed(2)
    for (const mode of ['inference', 'training'] as const) {
      const { inputs, output } = subject.graph(mode)
      const valuesOf = (signal: Signal) => definedOutcome(signal, evaluate(tensorsOf(signal), { batch: 2, inputs: byName(inputs, feed), weights: subject.weights, seed: 3 }), 2)
      const before = valuesOf(output)
      let passed: readonly Signal[] = [output]
      for (const [name, pass] of pipeline) {
        for (const from of [[output], passed]) {
          const [after] = pass(from)
          const faults = validate([after!])
          if (faults.length > 0) return broken(`after ${name} the graph of ${mode} is not legal: ${faults[0]}`)
          // Folded constants are rounded to single precision.
          const { error, where } = difference(valuesOf(after!), before)
          if (error > 1e-5) return broken(`after ${name}, in ${mode}, ${where}`)
        }
        passed = pass(passed)
      }
    }
    return kept()
  },
})
