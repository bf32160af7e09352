import { choicesOf } from '../arbitraries/choices.js'
import { constructors } from '../arbitraries/constructors.js'
import { expectedOf } from '../mutations/expectedOf.js'
import { disagreement, mutants } from '../mutations/mutationScore.js'
import { toSource } from '../source/toSource.js'
import { allLayers } from './core/allLayers.js'
import { broken, defineLaw, kept, silent } from './core/law.js'

/** A model has the shape that plain arithmetic gives it, and broken in any way that arithmetic refuses, it is refused with that code, at that path. */
export const misfitsAreRefused = defineLaw({
  name: 'misfitsAreRefused',
  title: 'what does not fit is refused, with the right code and path, and what fits is not',
  meaning: "A layer's `check` lets pass what its `forward` cannot do, refuses what it can, or gives another shape than its rule: compare it with src/testing/mutations/shapeRules.ts.",
  cost: 'few',
  judge: ({ model, seed, runs }) => {
    // A layer of one's own may be called as one of the library is, and have other rules.
    const isForeign = allLayers(model).some(({ definition: { kind, make } }) => constructors[kind]?.make !== make)
    const expected = isForeign ? undefined : expectedOf(model)
    if (expected === undefined) return silent('a layer in it is not known to the rules')
    const wrong = disagreement({ model, expected })
    if (wrong !== undefined) return broken(wrong)
    const choices = choicesOf(seed)
    let tried = 0
    for (let at = 0; at < runs; at++)
      for (const mutant of mutants(model, choices)) {
        const why = disagreement(mutant)
        tried++
        if (why !== undefined) return broken(`${mutant.mutation}: ${why}, in ${toSource(mutant.model, { imports: false }).replace(/\s+/g, ' ').replace('export const model = ', '').slice(0, 300)}`)
      }
    return kept(`${tried} mutants`)
  },
})
