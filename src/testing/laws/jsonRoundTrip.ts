import { fromJson, type Constructors } from '../../exporters/json/fromJson.js'
import { toJson } from '../../exporters/json/toJson.js'
import { parametersOf } from '../../graph/graph.js'
import { print } from '../../graph/print.js'
import { trace } from '../../graph/trace.js'
import type { AnyModel } from '../../layers/core/model.js'
import { showProblem } from '../../shape/problem.js'
import { constructors } from '../arbitraries/constructors.js'
import { allLayers } from './core/allLayers.js'
import { broken, defineLaw, kept, silent } from './core/law.js'
import { need } from './core/subject.js'

/** A model written as JSON and read back computes the same with the same parameters. */
export const jsonRoundTrip = defineLaw({
  name: 'jsonRoundTrip',
  title: 'JSON round trip',
  meaning: 'A layer cannot be rebuilt from its constructor and its arguments: look at the `args` it gives to `defineLayer`, and that they are plain data or layers.',
  cost: 'trace',
  judge: ({ model }) => {
    const makers = new Map<string, Constructors[string]>()
    for (const { definition } of allLayers(model)) {
      const known = makers.get(definition.kind) ?? definition.make
      if (known !== definition.make) return silent(`two kinds of layer are called '${definition.kind}'`)
      makers.set(definition.kind, known)
    }
    const own = Object.fromEntries([...makers].filter(([kind, make]) => constructors[kind]?.make !== make))
    const read = fromJson(JSON.parse(JSON.stringify(toJson(model))), own)
    if (read._tag === 'Left') return broken(showProblem(read.left))
    for (const mode of ['inference', 'training'] as const) {
      const [before, after] = [model, read.right].map(m => textOf(m, mode))
      if (before !== after) return broken(`read back, it is another model in ${mode}`)
    }
    return kept()
  },
})

const textOf = (model: AnyModel, mode: 'inference' | 'training'): string => {
  const graph = need(trace(model, { mode }))
  return `${print([graph.output])}\n${parametersOf(graph).map(({ attributes }) => JSON.stringify(attributes)).join()}`
}
