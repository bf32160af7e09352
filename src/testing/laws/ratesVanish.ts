import { trace } from '../../graph/trace.js'
import { collectNodes } from '../../graph/graph.js'
import { tensorsOf } from '../../ops/tensor.js'
import { withRates } from './core/withRates.js'
import { broken, defineLaw, kept } from './core/law.js'
import { difference } from './core/outcome.js'
import { Subject } from './core/subject.js'

/** So small that no mask drops anything, and yet not 0, so that layers take the way they take in training. */
const vanishing = 1e-12

/** Training with rates next to 0 is inference (but where samples of a batch see each other, or chance has no rate), and rates change nothing in inference. */
export const ratesVanish = defineLaw({
  name: 'ratesVanish',
  title: 'training at a vanishing rate is inference',
  meaning: 'A layer computes something else in training than in inference, beside what it drops: look at what `forward` does with `mode`, and at attention that is written out where its weights are dropped.',
  cost: 'few',
  judge: subject => {
    const feed = subject.feed(2)
    const of = (rate: number): Subject | undefined => {
      const model = withRates(subject.model, rate)
      return trace(model, { mode: 'training' })._tag === 'Left' ? undefined : new Subject(model, subject.options)
    }
    const [none, some, all] = [of(0), of(vanishing), of(0.5)]
    const { weights } = subject
    const inference = subject.define({ feed, batch: 2 })
    if (all !== undefined) {
      const { error, where } = difference(all.define({ feed, batch: 2, weights }), inference)
      if (error > 1e-6) return broken(`with rates of 0.5 instead, in inference ${where}`)
    }
    if (none === undefined || some === undefined) return kept()
    const training = some.define({ feed, batch: 2, weights, mode: 'training' })
    // What sees other samples, or is random whatever the rates are.
    const differs = collectNodes(tensorsOf(none.graph('training').output)).some(node => node.op.startsWith('batch') || node.op === 'dropMask')
    const expected = differs ? none.define({ feed, batch: 2, weights, mode: 'training' }) : inference
    const { error, where } = difference(training, expected)
    return error < 1e-6 ? kept() : broken(`in training with rates of ${vanishing}, ${where}`)
  },
})
