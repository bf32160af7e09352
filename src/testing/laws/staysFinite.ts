import { byName, hostileKinds } from './core/feeds.js'
import { broken, defineLaw, kept } from './core/law.js'
import { placeOf, type Outcome } from './core/outcome.js'

const words = { ordinary: 'ordinary numbers', zeros: 'zeros', constantRows: 'rows of one number', large: 'numbers of ±10,000', denormals: 'numbers too small to be normal', mixed: 'rows of zeros, of one number, of ±10,000 and of denormals' } as const

/** Finite input gives finite output, in both modes, hostile input too. */
export const staysFinite = defineLaw({
  name: 'staysFinite',
  title: 'no NaN or infinity from finite input',
  meaning: 'Something overflows or is divided by zero: look for an `exp` whose largest argument was not taken off, a `divide` or `sqrt` without an epsilon, or a variance that cancels.',
  cost: 'few',
  judge: async subject => {
    for (const mode of ['inference', 'training'] as const)
      for (const kind of ['ordinary', ...hostileKinds] as const) {
        const feed = subject.feed(2, 0, kind)
        if (kind !== 'ordinary' && [...byName(subject.graph().inputs, feed).values()].every(values => values instanceof Int32Array)) continue
        const wrong = odd(subject.define({ feed, batch: 2, mode }))
        if (wrong !== undefined) return broken(`${words[kind]} give ${wrong} in ${mode}, by definition`)
        for (const backend of subject.backends) {
          const given = odd(await subject.run(backend, { feed, mode }))
          if (given !== undefined) return broken(`${words[kind]} give ${given} in ${mode} on ${backend.name}`)
        }
      }
    return kept()
  },
})

/** The first number that is not finite, and where it is. */
const odd = (outcome: Outcome): string | undefined => {
  for (const { node, values } of outcome) {
    const at = Array.prototype.findIndex.call(values, (value: number) => !Number.isFinite(value))
    if (at >= 0) return `${values[at]}${placeOf(at, node.shape)}`
  }
  return undefined
}
