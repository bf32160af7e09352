import { showProblem } from '../../shape/problem.js'
import { runOracle } from '../oracles/runOracle.js'
import type { Values } from '../oracles/oracle.js'
import { broken, defineLaw, kept } from './core/law.js'
import { difference, type Outcome } from './core/outcome.js'

/** A layer computes what its independent definition says: plain loops written from the paper, which share no code with it. */
export const oracleAgrees = defineLaw({
  name: 'oracleAgrees',
  title: 'layers compute what their independent definitions say',
  meaning: "A layer's `forward` or its parameters are wrong, whatever its shapes: compare it with its definition in src/testing/oracles, and both with the paper. A user's own layers are taken at their word.",
  cost: 'few',
  judge: subject => {
    const feed = subject.feed(2)
    const run = runOracle(subject.model, subject.weights, feed as never)
    if (run._tag === 'Left') return broken(showProblem(run.left))
    const outcome = subject.define({ feed, batch: 2 })
    const shapes = new Map(flat(run.right.output).map(({ name, shape }) => [name, shape]))
    const misfit = outcome.find(({ name, node }) => shapes.get(name)?.slice(1).join() !== node.shape.join())
    if (misfit !== undefined) return broken(`the output is ${misfit.node.shape.join('×')}, and by definition ${shapes.get(misfit.name)?.slice(1).join('×') ?? 'absent'}`)
    const expected: Outcome = flat(run.right.output).map(({ name, values }) => ({ name, values, node: outcome.find(given => given.name === name)!.node }))
    const { error, where } = difference(outcome, expected)
    // Both are in double precision; constants are stored in single.
    return error <= 1e-5 ? kept() : broken(`${where} by its definition`)
  },
})

interface Flat {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float64Array
}
const flat = (values: Values, name = ''): readonly Flat[] =>
  values.data instanceof Float64Array
    ? [{ name, shape: values.shape as readonly number[], values: values.data }]
    : Object.entries(values as Readonly<Record<string, Values>>).flatMap(([field, inner]) => flat(inner, name === '' ? field : `${name}.${field}`))
