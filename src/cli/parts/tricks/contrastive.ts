import { pipe } from 'fp-ts/lib/function.js'
import { map } from 'fp-ts/lib/TaskEither.js'
import { divide, exp, scalar } from '../../../ops/ops.js'
import { contrastive as contrast, similarities } from '../../../training/losses.js'
import { Bench, type Measured } from './bench.js'
import type { Trick } from './trick.js'

/** The losses of CLIP and ALIGN; the whole batch lies on an axis. */
export const contrastive: Trick = {
  fields: ['image', 'text', 'logit_scale', 'logits'],
  replay: (recorded, backend) => {
    const bench = new Bench(backend)
    const [images, texts] = ['image', 'text'].map(key => bench.fixed(key, recorded.tensor(key).data, recorded.tensor(key).shape))
    const logitScale = bench.fixed('logit_scale', [recorded.number('logit_scale')], [])
    const clip = contrast(images!, texts!, exp(logitScale))
    const measured: Record<string, Measured> = {
      logits: { tensor: similarities(images!, texts!, exp(logitScale)), recorded: recorded.tensor('logits').data, near: 'single' },
      loss: { tensor: clip, recorded: [recorded.number('loss')], near: 'single' },
      grad_image: { tensor: bench.slope(clip, images!), recorded: recorded.tensor('grad_image').data, near: 'gradient' },
      grad_text: { tensor: bench.slope(clip, texts!), recorded: recorded.tensor('grad_text').data, near: 'gradient' },
      grad_logit_scale: { tensor: bench.slope(clip, logitScale), recorded: [recorded.number('grad_logit_scale')], near: 'gradient' },
    }
    if (recorded.has('align_like')) {
      const entry = recorded.object('align_like')
      const temperature = bench.fixed('tau', [entry.number('tau')], [])
      const align = (both: 'mean' | 'sum') => contrast(images!, texts!, divide(scalar(1), temperature), { smoothing: entry.number('label_smoothing'), both })
      const of = align(entry.text('gradients_are_of') === 'loss_mean_of_both' ? 'mean' : 'sum')
      measured['align_like.loss_sum_of_both'] = { tensor: align('sum'), recorded: [entry.number('loss_sum_of_both')], near: 'single' }
      measured['align_like.loss_mean_of_both'] = { tensor: align('mean'), recorded: [entry.number('loss_mean_of_both')], near: 'single' }
      measured['align_like.grad_image'] = { tensor: bench.slope(of, images!), recorded: entry.tensor('grad_image').data, near: 'gradient' }
      measured['align_like.grad_text'] = { tensor: bench.slope(of, texts!), recorded: entry.tensor('grad_text').data, near: 'gradient' }
      measured['align_like.grad_tau'] = { tensor: bench.slope(of, temperature), recorded: [entry.number('grad_tau')], near: 'gradient' }
    }
    return pipe(bench.measure(measured), map(checks => ({ checks })))
  },
}
