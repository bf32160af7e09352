import { cost } from '../../graph/cost.js'
import { parametersOf, type Graph } from '../../graph/graph.js'
import { sizeOf } from '../../shape/shape.js'
import { initialWeights } from '../../weights/initialWeights.js'
import { broken, defineLaw, kept } from './core/law.js'
import { need } from './core/subject.js'

const listed = (graph: Graph): readonly string[] => parametersOf(graph).map(({ attributes: { name }, shape }) => `${name} ${shape.join('×')}`)

/** The parameter count is the sum of what was initialised, and both modes ask for the same parameters. */
export const parametersCounted = defineLaw({
  name: 'parametersCounted',
  title: 'the parameter count is the sum of what is initialised',
  meaning: 'Two layers ask for one name, or a layer asks for other weights in training than in inference: look at its `parameters` and its scope.',
  cost: 'few',
  judge: subject => {
    const graph = subject.graph()
    const made = need(initialWeights(subject.model, subject.seed))
    const buffers = new Set(parametersOf(graph).filter(p => p.attributes.role === 'buffer').map(p => p.attributes.name))
    const total = [...made].reduce((sum, [name, values]) => sum + (buffers.has(name) ? 0 : values.length), 0)
    const { params } = cost(graph)
    if (total !== params) return broken(`${params} parameters are counted, but ${total} are initialised`)
    const misfit = parametersOf(graph).find(({ attributes: { name }, shape }) => made.get(name)?.length !== sizeOf(shape))
    if (misfit !== undefined) return broken(`'${misfit.attributes.name}' is ${misfit.shape.join('×')}, but ${made.get(misfit.attributes.name)?.length ?? 0} values are initialised`)
    const [inference, training] = [listed(graph), listed(subject.graph('training'))]
    const other = inference.find(name => !training.includes(name)) ?? training.find(name => !inference.includes(name))
    return other === undefined ? kept(`${params}`) : broken(`only one of training and inference asks for ${other}`)
  },
})
