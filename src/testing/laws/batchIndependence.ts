import { sampleOf } from './core/feeds.js'
import { broken, defineLaw, kept } from './core/law.js'
import { difference, type Outcome } from './core/outcome.js'

const batch = 3

/** What a batch gives is what each of its samples gives by itself. */
export const batchIndependence = defineLaw({
  name: 'batchIndependence',
  title: 'running a batch is running each of its samples',
  meaning: 'Samples of a batch are mixed: look for a statistic over the batch in inference, an axis counted with the batch, or a reshape or transpose across it.',
  cost: 'few',
  judge: async subject => {
    for (let at = 0; at < subject.runs; at++) {
      const feed = subject.feed(batch, at)
      const each = Array.from({ length: batch }, (_, i) => sampleOf(feed, i, batch))
      const defined = compared(subject.define({ feed, batch }), each.map(sample => subject.define({ feed: sample, batch: 1 })))
      if (defined.error > 1e-9) return broken(`by definition, ${defined.where}`)
      for (const backend of subject.backends) {
        const alone: Outcome[] = []
        for (const sample of each) alone.push(await subject.run(backend, { feed: sample }))
        const { error, where } = compared(await subject.run(backend, { feed }), alone)
        if (error > subject.tolerance) return broken(`on ${backend.name}, in a batch of ${batch} ${where} as it is alone`)
      }
    }
    return kept()
  },
})

const compared = (whole: Outcome, each: readonly Outcome[]) =>
  difference(whole, whole.map((given, i) => ({ ...given, values: each.flatMap(outcome => Array.from(outcome[i]!.values)) })))
