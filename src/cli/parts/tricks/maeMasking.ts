import { pipe } from 'fp-ts/lib/function.js'
import { map } from 'fp-ts/lib/TaskEither.js'
import { batchSum, multiply, reshape, slice, sqrt, sum } from '../../../ops/ops.js'
import type { Tensor } from '../../../ops/tensor.js'
import { maskedMeanSquared, patchify } from '../../../training/losses.js'
import { maskByNoise } from '../../../training/maskByNoise.js'
import { formulaWeights } from '../../../weights/formulaWeights.js'
import { Bench, type Measured } from './bench.js'
import { channelsLast } from './channelsLast.js'
import type { Recorded, RecordedTensor } from './recorded.js'
import type { Check, Trick } from './trick.js'

/** MAE: which patches are taken away, images as patches, and the loss of those taken away. */
export const maeMasking: Trick = {
  fields: ['noise', 'mask_ratio', 'ids_restore', 'img_formula', 'pred_formula'],
  replay: (recorded, backend) => {
    const noise = recorded.tensor('noise')
    const [samples, patches] = noise.shape as [number, number]
    const masked = Array.from({ length: samples }, (_, i) => maskByNoise(noise.data.slice(i * patches, (i + 1) * patches), recorded.number('mask_ratio')))
    const exact = (key: string, ours: readonly number[]): Record<string, Check> => ({ [key]: { ours, recorded: recorded.numbers(key), near: 'exact' } })
    const checks: Record<string, Check> = {
      len_keep: { ours: [masked[0]!.keep.length], recorded: [recorded.number('len_keep')], near: 'exact' },
      ...exact('ids_shuffle', masked.flatMap(({ shuffle }) => shuffle)),
      ...exact('ids_keep', masked.flatMap(({ keep }) => keep)),
      ...exact('ids_restore', masked.flatMap(({ restore }) => restore)),
      ...exact('mask', masked.flatMap(({ mask }) => mask)),
    }
    const bench = new Bench(backend)
    const image = bench.batched('img', channelsLast(fromFormula(recorded.object('img_formula'))))
    const predicted = bench.batched('pred', fromFormula(recorded.object('pred_formula')))
    const mask = bench.batched('mask', { shape: noise.shape, data: recorded.numbers('mask') })
    const target = patchify(image, Math.sqrt(predicted.shape[1]! / image.shape[2]!))
    const first = masked[0]!.mask.indexOf(1)
    const measured: Record<string, Measured> = { patchify_first_token: row(target, 0, recorded.tensor('patchify_first_token').data, 'single') }
    for (const [key, entry] of recorded.objectsWith('loss')) {
      const loss = maskedMeanSquared(predicted, target, mask, { normalisePixels: key.endsWith('True') })
      const slope = bench.slope(loss, predicted)
      measured[`${key}.loss`] = { tensor: loss, recorded: [entry.number('loss')], near: 'single' }
      measured[`${key}.grad_first_masked_token`] = row(slope, first, entry.tensor('grad_first_masked_token').data, 'gradient')
      measured[`${key}.grad_l2`] = { tensor: sqrt(batchSum(sum(multiply(slope, slope), [0, 1]))), recorded: [entry.number('grad_l2')], near: 'gradient' }
    }
    return pipe(bench.measure(measured), map(computed => ({ checks: { ...checks, ...computed } })))
  },
}

const row = (x: Tensor, at: number, recorded: readonly number[], near: Check['near']): Measured => ({ tensor: reshape(slice(x, [at, 0], [1, x.shape[1]!]), [x.shape[1]!]), recorded, near, isFirst: true })

const fromFormula = (formula: Recorded): RecordedTensor => {
  const shape = formula.numbers('shape')
  return { shape, data: [...formulaWeights(formula.text('key'), shape, formula.numberOr('offset', 0), formula.number('s'), formula.text('salt'))] }
}
