import { broken, defineLaw, kept } from './core/law.js'
import { difference } from './core/outcome.js'

/** Every backend computes what the definitions of the ops say, within the tolerance of its least exact op (see `opTolerances`). */
export const backendsAgree = defineLaw({
  name: 'backendsAgree',
  title: 'backends agree with the definition',
  meaning: 'A lowering or a kernel computes something else than its op: run the shrunk recipe with `--backend reference,cpu,wasm` to see which, and look at the lowering of its op.',
  cost: 'few',
  judge: async subject => {
    for (const mode of ['inference', 'training'] as const)
      for (let at = 0; at < subject.runs; at++)
        for (const batch of [1, 2]) {
          const feed = subject.feed(batch, at)
          const defined = subject.define({ feed, batch, mode, seed: at })
          for (const backend of subject.backends) {
            const { error, where } = difference(await subject.run(backend, { feed, mode, seed: at }), defined)
            if (error > subject.tolerance) return broken(`on ${backend.name}, in ${mode} with a batch of ${batch}, ${where} (off by ${error.toExponential(1)} of the largest; ${subject.tolerance.toExponential(1)} is allowed)`)
          }
        }
    return kept()
  },
})
