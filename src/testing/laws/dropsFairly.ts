import { collectNodes } from '../../graph/graph.js'
import { sizeOf } from '../../shape/shape.js'
import { isOp, tensorsOf } from '../../ops/tensor.js'
import { broken, defineLaw, kept, silent } from './core/law.js'
import { singleTensor } from './core/singleTensor.js'
import { Subject } from './core/subject.js'
import { withRates } from './core/withRates.js'

const draws = 400

/** What drops in training keeps the mean of its input, drops other things at each step, and drops at its rate; no two masks are one. */
export const dropsFairly = defineLaw({
  name: 'dropsFairly',
  title: 'dropout masks are distinct, drop what they should together, and keep the expectation',
  meaning: 'What is kept is not scaled by 1/(1 − rate), the rate is taken for its opposite, or two layers drop by one mask: look at the layer that drops, and at `context.path` as the name of its stream.',
  cost: 'many',
  judge: subject => {
    const masks = collectNodes(tensorsOf(subject.graph('training').output)).filter(node => isOp(node, 'dropMask'))
    const streams = new Set(masks.map(node => (isOp(node, 'dropMask') ? node.attributes.stream : '')))
    if (streams.size < masks.length) return broken('two masks are drawn from one stream')
    if (collectNodes(tensorsOf(subject.graph().output)).some(node => node.op === 'dropMask')) return broken('something is dropped in inference')
    const { only } = subject
    const ends = singleTensor(subject)
    const unit = only?.definition.traits.drops
    if (unit === undefined || ends === undefined) return masks.length === 0 ? silent('nothing is dropped') : kept()
    const own = only!.definition.config['rate'] as number
    // A rate of 0 is no reason not to look at what happens at others.
    const [rate, dropping] = own > 0 ? [own, subject] : [0.25, new Subject(withRates(subject.model, 0.25), subject.options)]
    const size = sizeOf(ends.input.shape)
    const x = Float32Array.from({ length: size }, (_, i) => 1 + (i % 3))
    const total = new Float64Array(size)
    const width = ends.input.shape.at(-1) ?? 1
    /** The first element of what is dropped together. */
    const mates = (i: number): number => (unit === 'element' ? i : unit === 'place' ? i - (i % width) : 0)
    for (let step = 0; step < draws; step++) {
      const [y] = dropping.define({ feed: x, batch: 1, mode: 'training', seed: subject.seed, step })
      for (let i = 0; i < size; i++) {
        total[i]! += y!.values[i]! / draws
        const mate = mates(i)
        if (Math.abs(y!.values[i]! / x[i]! - y!.values[mate]! / x[mate]!) > 1e-6) return broken(`of one ${unit}, a part is dropped and another is not`)
      }
    }
    // Five standard deviations of a mean of so many draws.
    const allowed = 5 * Math.sqrt(rate / (1 - rate) / draws) + 1e-6
    const wrong = total.findIndex((mean, i) => Math.abs(mean / x[i]! - 1) > allowed)
    return wrong < 0 ? kept() : broken(`at a rate of ${rate}, the mean over ${draws} masks is ${(total[wrong]! / x[wrong]!).toFixed(3)} of the input`)
  },
})
