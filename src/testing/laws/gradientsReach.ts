import { isOp } from '../../ops/tensor.js'
import { evaluate } from './core/evaluate.js'
import { byName } from './core/feeds.js'
import { inertNames } from './core/inertNames.js'
import { broken, defineLaw, kept, silent } from './core/law.js'
import { differentiated } from './core/lossOf.js'

/** Every trained parameter receives a gradient that is not zero everywhere, or is declared as one that need not; and gradients are finite. */
export const gradientsReach = defineLaw({
  name: 'gradientsReach',
  title: 'every parameter receives a non-zero gradient',
  meaning: 'Training cannot change a parameter: its branch is cut off, multiplied by 0, or taken out again by what follows (a bias before a norm, say).',
  cost: 'few',
  judge: subject => {
    const inert = inertNames(subject)
    for (const mode of ['inference', 'training'] as const) {
      const graph = subject.graph(mode)
      const { wanted, gradients } = differentiated(graph)
      const parameters = wanted.filter(x => isOp(x, 'parameter') && !inert.has(x.attributes.name))
      if (parameters.length === 0) return silent('there are no parameters to train')
      const cut = parameters.find(p => !gradients.of.has(p))
      if (cut !== undefined) return broken(`in ${mode}, no gradient reaches '${cut.attributes.name}'`)
      const values = evaluate(parameters.map(p => gradients.of.get(p)!), { batch: 3, inputs: byName(graph.inputs, subject.feed(3)), weights: subject.weights })
      for (const [i, { data }] of values.entries()) {
        const { name } = parameters[i]!.attributes
        if (!data.every(Number.isFinite)) return broken(`in ${mode}, the gradient of '${name}' is not finite`)
        // What batch statistics take out again is a convolution's bias in front of them: in training only, and as published.
        if (mode === 'inference' && data.every(g => Math.abs(g) < 1e-14)) return broken(`the gradient of '${name}' is zero`)
      }
    }
    return kept(inert.size === 0 ? undefined : `declared as unused: ${[...inert].join(', ')}`)
  },
})
