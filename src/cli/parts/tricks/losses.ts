import { pipe } from 'fp-ts/lib/function.js'
import { map } from 'fp-ts/lib/TaskEither.js'
import type { Tensor } from '../../../ops/tensor.js'
import { binaryCrossEntropy, crossEntropy, focal, oneHot, sigmoidFocal } from '../../../training/losses.js'
import { Bench, type Measured } from './bench.js'
import type { Recorded } from './recorded.js'
import type { Trick } from './trick.js'

/** What losses are made of. */
interface Given {
  readonly logits: Tensor
  readonly targets: Tensor
  readonly soft: Tensor
}

/** Losses by the form of their names; the numbers in a name are options. */
const forms: readonly (readonly [RegExp, (given: Given, numbers: readonly number[], entry: Recorded) => Tensor])[] = [
  [/^cross_entropy$/, ({ logits, targets }) => crossEntropy(logits, targets)],
  [/^(?:torch_)?label_smoothing_([\d.]+)$/, ({ logits, targets }, [smoothing]) => crossEntropy(logits, targets, { smoothing: smoothing! })],
  [/^soft_target_ce$/, ({ logits, soft }) => crossEntropy(logits, soft)],
  [/^binary_ce_timm_smoothing([\d.]+)$/, ({ logits, targets }, [smoothing]) => binaryCrossEntropy(logits, targets, { smoothing: smoothing! })],
  [/^sigmoid_focal_alpha(-?[\d.]+)_gamma([\d.]+)$/, ({ logits, targets }, [alpha, gamma]) => sigmoidFocal(logits, targets, { alpha: alpha!, gamma: gamma! })],
  [/^softmax_focal_gamma([\d.]+)(?:_alpha)?$/, ({ logits, targets }, [gamma], entry) => focal(logits, targets, { gamma: gamma!, ...(entry.has('alpha') ? { alpha: entry.numbers('alpha') } : {}) })],
]

/** Losses of classification, all of the same logits. */
export const losses: Trick = {
  fields: ['logits', 'labels', 'soft_targets'],
  replay: (recorded, backend) => {
    const bench = new Bench(backend)
    const logits = bench.batched('logits', recorded.tensor('logits'))
    const targets = oneHot(bench.labels('labels', recorded.numbers('labels')), logits.shape[0]!)
    const given = { logits, targets, soft: bench.batched('soft_targets', recorded.tensor('soft_targets')) }
    const measured: Record<string, Measured> = {}
    const notCompared: string[] = []
    for (const [key, entry] of recorded.objectsWith('loss')) {
      const form = forms.find(([name]) => name.test(key))
      if (form === undefined) notCompared.push(key)
      else {
        const loss = form[1](given, form[0].exec(key)!.slice(1).map(Number), entry)
        measured[`${key}.loss`] = { tensor: loss, recorded: [entry.number('loss')], near: 'single' }
        measured[`${key}.grad`] = { tensor: bench.slope(loss, logits), recorded: entry.tensor('grad').data, near: 'gradient' }
      }
    }
    return pipe(bench.measure(measured), map(checks => ({ checks, notCompared })))
  },
}
