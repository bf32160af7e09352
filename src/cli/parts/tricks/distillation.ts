import { pipe } from 'fp-ts/lib/function.js'
import { map } from 'fp-ts/lib/TaskEither.js'
import { crossEntropy, distillation as distil, oneHot } from '../../../training/losses.js'
import { Bench, type Measured } from './bench.js'
import { Misread } from './recorded.js'
import type { Trick } from './trick.js'

/** DeiT's distillation, soft and hard. */
export const distillation: Trick = {
  fields: ['outputs', 'outputs_kd', 'teacher', 'labels'],
  replay: (recorded, backend) => {
    const bench = new Bench(backend)
    const [outputs, student, teacher] = ['outputs', 'outputs_kd', 'teacher'].map(key => bench.batched(key, recorded.tensor(key)))
    const targets = oneHot(bench.labels('labels', recorded.numbers('labels')), outputs!.shape[0]!)
    const measured: Record<string, Measured> = {}
    for (const [key, entry] of recorded.objectsWith('loss')) {
      const [kind, base] = [entry.text('type'), entry.text('base')]
      const smoothing = base === 'ce' ? 0 : Number(/^ls([\d.]+)$/.exec(base)?.[1])
      if ((kind !== 'soft' && kind !== 'hard') || Number.isNaN(smoothing)) throw new Misread(`${key} is of an unknown type or base`)
      const loss = distil(crossEntropy(outputs!, targets, { smoothing }), student!, teacher!, { kind, alpha: entry.number('alpha'), temperature: entry.number('tau') })
      measured[`${key}.loss`] = { tensor: loss, recorded: [entry.number('loss')], near: 'single' }
      measured[`${key}.grad_outputs`] = { tensor: bench.slope(loss, outputs!), recorded: entry.tensor('grad_outputs').data, near: 'gradient' }
      measured[`${key}.grad_outputs_kd`] = { tensor: bench.slope(loss, student!), recorded: entry.tensor('grad_outputs_kd').data, near: 'gradient' }
    }
    return pipe(bench.measure(measured), map(checks => ({ checks })))
  },
}
