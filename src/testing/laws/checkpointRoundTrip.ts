import { parametersOf } from '../../graph/graph.js'
import { showProblem } from '../../shape/problem.js'
import { encodeSafetensors } from '../../weights/encodeSafetensors.js'
import { loadWeights } from '../../weights/loadWeights.js'
import { parseSafetensors } from '../../weights/parseSafetensors.js'
import { broken, defineLaw, kept } from './core/law.js'
import { need } from './core/subject.js'

/** Weights written as a safetensors file and read back are the same, bit for bit. */
export const checkpointRoundTrip = defineLaw({
  name: 'checkpointRoundTrip',
  title: 'checkpoint round trip',
  meaning: 'A parameter is stored under another name or shape than it is looked up by: look at the layer that declares it.',
  cost: 'trace',
  judge: async subject => {
    const parameters = parametersOf(subject.graph())
    const file = need(encodeSafetensors(parameters.map(({ attributes: { name }, shape }) => ({ name, shape, data: subject.weights.get(name)! }))))
    const stored = need(parseSafetensors(file))
    const read = loadWeights(stored, subject.model)
    if (read._tag === 'Left') return broken(showProblem(read.left))
    for (const { attributes: { name }, shape } of parameters) {
      const values = await read.right(name, shape)()
      if (values._tag === 'Left') return broken(showProblem(values.left))
      if (!same(values.right, subject.weights.get(name)!)) return broken(`'${name}' does not come back as it was`)
    }
    return kept()
  },
})

const same = (a: Float32Array, b: Float32Array): boolean => a.length === b.length && b.every((value, i) => Object.is(value, a[i]))
