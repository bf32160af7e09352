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

/** What a recording says of one loss: in its name, and beside it. */
interface Said {
  readonly key: string
  /** The number behind a word in the name: 0.25 of `sigmoid_focal_alpha0.25_gamma2`. */
  readonly option: (word: string, usual?: number) => number
  readonly entry: Recorded
}

/** Losses by the form of their names; the numbers in a name are options. */
const forms: readonly (readonly [RegExp, (given: Given, said: Said) => Tensor])[] = [
  [/^cross_entropy$/, ({ logits, targets }) => crossEntropy(logits, targets)],
  [/^(torch_)?label_smoothing_[\d.]+$/, ({ logits, targets }, { option }) => crossEntropy(logits, targets, { smoothing: option('smoothing_') })],
  [/^soft_target_ce$/, ({ logits, soft }) => crossEntropy(logits, soft)],
  [/^binary_ce(_timm)?(_smoothing[\d.]+|_threshold[\d.]+|_sum|_soft)*$/, ({ logits, targets, soft }, { key, option }) => {
    const threshold = key.includes('_threshold') ? { threshold: option('threshold') } : {}
    return binaryCrossEntropy(logits, key.includes('_soft') ? soft : targets, { smoothing: option('smoothing', 0), classes: key.includes('_sum') ? 'sum' : 'mean', ...threshold })
  }],
  [/^sigmoid_focal_alpha-?[\d.]+_gamma[\d.]+$/, ({ logits, targets }, { option }) => sigmoidFocal(logits, targets, { alpha: option('alpha'), gamma: option('gamma') })],
  [/^softmax_focal_gamma[\d.]+(_alpha)?$/, ({ logits, targets }, { option, entry }) => focal(logits, targets, { gamma: option('gamma'), ...(entry.has('alpha') ? { alpha: entry.numbers('alpha') } : {}) })],
]

const optionIn = (name: string): Said['option'] => (word, usual = Number.NaN) => {
  const found = new RegExp(`${word}(-?[\\d.]+)`).exec(name)?.[1]
  return found === undefined ? usual : Number(found)
}

/** Losses of classification, all of the same logits. */
export const losses: Trick = {
  fields: ['logits', 'labels', 'soft_targets'],
  replay: (recorded, backend) => {
    const bench = new Bench(backend)
    const logits = bench.batched('logits', recorded.tensor('logits'))
    const targets = oneHot(bench.labels('labels', recorded.numbers('labels')), logits.shape[0]!)
    const given = { logits, targets, soft: bench.batched('soft_targets', recorded.tensor('soft_targets')) }
    const measured: Record<string, Measured> = {}
    for (const [key, entry] of recorded.objectsWith('loss')) {
      const form = forms.find(([name]) => name.test(key))
      // What has no form stays unread, and is told of.
      if (form === undefined) continue
      const loss = form[1](given, { key, option: optionIn(key), entry })
      measured[`${key}.loss`] = { tensor: loss, recorded: [entry.number('loss')], near: 'single' }
      measured[`${key}.grad`] = { tensor: bench.slope(loss, logits), recorded: entry.tensor('grad').data, near: 'gradient' }
    }
    return pipe(bench.measure(measured), map(checks => ({ checks })))
  },
}
