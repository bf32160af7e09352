import { print } from '../../graph/print.js'
import { trace } from '../../graph/trace.js'
import type { Mode } from '../../layers/core/layer.js'
import { broken, defineLaw, kept } from './core/law.js'
import { difference } from './core/outcome.js'
import { need, Subject } from './core/subject.js'

/** The same model, weights and input give the same numbers, bit for bit; in training, with the same seed and step. */
export const determinism = defineLaw({
  name: 'determinism',
  title: 'the same input gives the same output',
  meaning: 'A layer keeps something between calls, or draws numbers that no seed decides: look for `Math.random`, a variable outside `forward`, or a buffer that is written twice.',
  cost: 'few',
  judge: async subject => {
    const text = (mode: Mode): string => print([need(trace(subject.model, { mode })).output])
    for (const mode of ['inference', 'training'] as const) {
      if (text(mode) !== text(mode)) return broken(`tracing it twice for ${mode} gives two different graphs`)
      const feed = subject.feed(2)
      for (const backend of subject.backends) {
        const first = await subject.run(backend, { feed, mode, seed: 5, step: 1 })
        // Another batch between, so that what a run leaves behind shows.
        await subject.run(backend, { feed: subject.feed(3, 1), mode, seed: 5, step: 1 })
        const again = difference(await subject.run(backend, { feed, mode, seed: 5, step: 1 }), first)
        if (again.error > 0) return broken(`on ${backend.name}, a second run of ${mode} differs: ${again.where}`)
        const anew = new Subject(subject.model, subject.options)
        try {
          const other = difference(await anew.run(backend, { feed, mode, seed: 5, step: 1 }), first)
          if (other.error > 0) return broken(`on ${backend.name}, compiled again for ${mode} it differs: ${other.where}`)
        } finally {
          anew.dispose()
        }
      }
    }
    return kept()
  },
})
