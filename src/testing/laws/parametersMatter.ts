import { collectNodes, parametersOf } from '../../graph/graph.js'
import { isOp, tensorsOf } from '../../ops/tensor.js'
import { inertNames } from './core/inertNames.js'
import { broken, defineLaw, kept } from './core/law.js'
import { lively } from './core/lively.js'
import { difference } from './core/outcome.js'
import { sharesWeights } from './core/sharesWeights.js'

/** Every parameter changes the output, unless its layer declares why it need not; and none that is trained is read in two places. */
export const parametersMatter = defineLaw({
  name: 'parametersMatter',
  title: 'every parameter matters, and is used once',
  meaning: 'A weight is declared and not used (a branch that is dropped, a norm that is skipped, a bias that is forgotten), or one weight serves where two should.',
  cost: 'many',
  judge: subject => {
    const { output } = subject.graph()
    const nodes = collectNodes(tensorsOf(output))
    const inert = inertNames(subject)
    const parameters = parametersOf(subject.graph()).filter(p => !inert.has(p.attributes.name))
    const reached = new Set(nodes)
    const unused = parameters.filter(p => !reached.has(p)).map(p => p.attributes.name)
    if (unused.length > 0) return broken(`nothing of the output depends on ${listed(unused)}`)
    const users = new Map<string, string[]>()
    for (const node of nodes) for (const x of node.inputs) if (isOp(x, 'parameter') && x.attributes.role === 'trained') users.set(x.attributes.name, [...(users.get(x.attributes.name) ?? []), node.op])
    const shared = sharesWeights(subject) ? undefined : [...users].find(([, ops]) => ops.length > 1)
    if (shared !== undefined) return broken(`'${shared[0]}' is used ${shared[1].length} times (${shared[1].join(', ')})`)
    const feed = subject.feed(2)
    const before = subject.define({ feed, batch: 2 })
    const dead = parameters.filter(p => {
      const weights = new Map(subject.weights).set(p.attributes.name, lively(p, subject.seed + 1))
      return difference(subject.define({ feed, batch: 2, weights }), before).error < 1e-12
    })
    if (dead.length > 0) return broken(`other values of ${listed(dead.map(p => p.attributes.name))} change nothing`)
    return kept(inert.size === 0 ? undefined : `declared as unused: ${listed([...inert])}`)
  },
})

const listed = (names: readonly string[]): string => `${names.slice(0, 4).join(', ')}${names.length > 4 ? ` and ${names.length - 4} more` : ''}`
