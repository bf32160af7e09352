import { collectNodes } from '../../graph/graph.js'
import { sizeOf } from '../../shape/shape.js'
import { isOp, tensorsOf } from '../../ops/tensor.js'
import { broken, defineLaw, kept, silent } from './core/law.js'
import { singleTensor } from './core/singleTensor.js'

const draws = 400

/** What drops in training keeps the mean of its input, drops other things at each step, and drops at its rate; no two masks are one. */
export const dropsFairly = defineLaw({
  name: 'dropsFairly',
  title: 'dropout masks are distinct and keep the expectation',
  meaning: 'What is kept is not scaled by 1/(1 − rate), the rate is taken for its opposite, or two layers drop by one mask: look at the layer that drops, and at `context.path` as the name of its stream.',
  cost: 'many',
  judge: subject => {
    const masks = collectNodes(tensorsOf(subject.graph('training').output)).filter(node => isOp(node, 'dropMask'))
    const streams = new Set(masks.map(node => (isOp(node, 'dropMask') ? node.attributes.stream : '')))
    if (streams.size < masks.length) return broken('two masks are drawn from one stream')
    if (collectNodes(tensorsOf(subject.graph().output)).some(node => node.op === 'dropMask')) return broken('something is dropped in inference')
    const only = subject.model.layers.length === 1 ? subject.model.layers[0]! : undefined
    const ends = singleTensor(subject)
    if (only?.definition.traits.drops !== true || ends === undefined) return masks.length === 0 ? silent('nothing is dropped') : kept()
    const rate = only.definition.config['rate'] as number
    const size = sizeOf(ends.input.shape)
    const x = Float32Array.from({ length: size }, (_, i) => 1 + (i % 3))
    const total = new Float64Array(size)
    for (let step = 0; step < draws; step++) {
      const [y] = subject.define({ feed: x, batch: 1, mode: 'training', seed: subject.seed, step })
      for (let i = 0; i < size; i++) total[i]! += y!.values[i]! / draws
    }
    // Five standard deviations of a mean of so many draws.
    const allowed = 5 * Math.sqrt(rate / (1 - rate) / draws) + 1e-6
    const wrong = total.findIndex((mean, i) => Math.abs(mean / x[i]! - 1) > allowed)
    return wrong < 0 ? kept() : broken(`at a rate of ${rate}, the mean over ${draws} masks is ${(total[wrong]! / x[wrong]!).toFixed(3)} of the input`)
  },
})
