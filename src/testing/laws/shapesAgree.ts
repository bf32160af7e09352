import { validate } from '../../graph/validate.js'
import { shapeOf } from '../../graph/trace.js'
import type { Model } from '../../layers/core/model.js'
import { shapeOfSignal } from '../../layers/core/refuse.js'
import { tensorsOf } from '../../ops/tensor.js'
import { showFields, sizeOf, type SignalShape } from '../../shape/shape.js'
import { broken, defineLaw, kept } from './core/law.js'
import { need } from './core/subject.js'

/** The shape that was inferred is the shape traced in both modes, and the number of values that a run gives. */
export const shapesAgree = defineLaw({
  name: 'shapesAgree',
  title: 'the inferred shape is the traced shape and the executed one',
  meaning: 'A layer makes a tensor of another size than it says: compare its shape function and its `check` with its `forward`.',
  cost: 'run',
  judge: async subject => {
    const graph = subject.graph()
    const inferred = need(shapeOf(subject.model as unknown as Model<unknown, SignalShape>))
    for (const mode of ['inference', 'training'] as const) {
      const { output } = subject.graph(mode)
      const traced = shapeOfSignal(output)
      if (showFields(traced) !== showFields(inferred)) return broken(`inferred ${showFields(inferred)}, but traced ${showFields(traced)} in ${mode}`)
      const faults = validate([output])
      if (faults.length > 0) return broken(`the graph of ${mode} is not legal: ${faults[0]}`)
    }
    for (const backend of subject.backends)
      for (const batch of [1, 2])
        for (const { name, node, values } of await subject.run(backend, { feed: subject.feed(batch) }))
          if (values.length !== batch * sizeOf(node.shape)) return broken(`${name === '' ? 'the output' : name} was traced as ${showFields(node.shape)}, but a batch of ${batch} gave ${values.length} numbers on ${backend.name}`)
    return kept(tensorsOf(graph.output).length === 1 ? showFields(inferred) : undefined)
  },
})
