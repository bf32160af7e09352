import { isOp, type Tensor } from '../../ops/tensor.js'
import { formulaWeights } from '../../weights/formulaWeights.js'
import { evaluate, type Leaves } from './core/evaluate.js'
import { byName } from './core/feeds.js'
import { broken, defineLaw, kept, silent } from './core/law.js'
import { differentiated } from './core/lossOf.js'
import type { Subject } from './core/subject.js'

const step = 1e-5
/** Beyond so many parameters they are moved in groups. */
const most = 12

/** Gradients agree with central finite differences, in double precision and in both modes. */
export const gradientsExact = defineLaw({
  name: 'gradientsExact',
  title: 'gradients agree with finite differences',
  meaning: 'The gradient of an op is not its derivative: look at the rule of the ops in the smallest recipe that still fails.',
  cost: 'many',
  judge: subject => {
    if (subject.graph('training').nodes.some(node => node.op === 'detach')) return silent('gradients are stopped in it, so that they are no slopes')
    for (const mode of ['inference', 'training'] as const) {
      const wrong = mismatch(subject, mode, 0)
      // A step over the kink of a relu or a maximum is no fault: one that is shows from elsewhere too.
      if (wrong !== undefined && mismatch(subject, mode, 1) !== undefined) return broken(`in ${mode}, ${wrong}`)
    }
    return differentiated(subject.graph()).wanted.length === 0 ? silent('there is nothing to differentiate by') : kept()
  },
})

const mismatch = (subject: Subject, mode: 'inference' | 'training', at: number): string | undefined => {
  const graph = subject.graph(mode)
  const { loss, wanted, gradients } = differentiated(graph)
  const reached = wanted.filter(x => gradients.of.has(x))
  const batch = 2
  const leaves: Leaves = { batch, inputs: byName(graph.inputs, subject.feed(batch, 70 + at)), weights: subject.weights, seed: at }
  const values = evaluate(reached.map(x => gradients.of.get(x)!), leaves)
  const nameOf = (x: Tensor): string => (isOp(x, 'parameter') || isOp(x, 'input') ? x.attributes.name : x.op)
  const groups = reached.length <= most ? reached.map(x => [x]) : Array.from({ length: most }, (_, i) => reached.filter((__, j) => j % most === i))
  for (const group of groups) {
    let [told, size] = [0, 0]
    const ways = new Map(group.map(x => [nameOf(x), formulaWeights(nameOf(x), [batch * x.shape.reduce((n, d) => n * d, 1)], 0, 1, `way ${at}`)]))
    for (const x of group)
      values[reached.indexOf(x)]!.data.forEach((g, i) => {
        told += g * ways.get(nameOf(x))![i]!
        size += Math.abs(g)
      })
    const moved = (by: number): number => {
      const along = (given: ReadonlyMap<string, ArrayLike<number>>): Map<string, ArrayLike<number>> =>
        new Map([...given].map(([name, data]) => [name, group.some(x => nameOf(x) === name) ? Float64Array.from(data, (value, i) => value + by * ways.get(name)![i]!) : data]))
      return evaluate([loss], { ...leaves, inputs: along(leaves.inputs), weights: along(leaves.weights) })[0]!.data[0]!
    }
    const found = (moved(step) - moved(-step)) / (2 * step)
    if (Math.abs(found - told) > 1e-5 * Math.max(1e-2, size)) return `the loss changes by ${found.toPrecision(6)} along ${group.map(nameOf).slice(0, 3).join(', ')}, but the gradient says ${told.toPrecision(6)}`
  }
  return undefined
}
