import { pipe } from 'fp-ts/lib/function.js'
import { map } from 'fp-ts/lib/TaskEither.js'
import { reshape, slice, transpose } from '../../../ops/ops.js'
import type { Tensor } from '../../../ops/tensor.js'
import { tokenLabelling as label, type ImageLabels } from '../../../training/losses.js'
import { Bench, type Measured } from './bench.js'
import { inReverse } from './inReverse.js'
import type { Trick } from './trick.js'

/** LV-ViT's loss with labels of tokens. Targets are `[batch, classes, 2 + tokens]`: the truth, the image, the tokens. */
export const tokenLabelling: Trick = {
  fields: ['output_cls', 'output_aux', 'target_3d', 'target_2d'],
  replay: (recorded, backend) => {
    const bench = new Bench(backend)
    const [image, tokens] = ['output_cls', 'output_aux'].map(key => bench.batched(key, recorded.tensor(key))) as [Tensor, Tensor]
    const count = tokens.shape[0]!
    // MixToken mixes each sample with the one at its place from the end.
    const both = (key: string): readonly [Tensor, Tensor] => [bench.batched(key, recorded.tensor(key)), bench.batched(`${key}.reversed`, inReverse(recorded.tensor(key)))]
    const [dense, flat] = [both('target_3d'), both('target_2d')]
    const measured: Record<string, Measured> = {}
    for (const [key, entry] of recorded.objectsWith('loss')) {
      const [isDense, args] = [!key.includes('2d'), entry.object('args')]
      // The authors' losses take these, and make nothing of them.
      args.passOver('classes', 'smoothing', 'mixup_active')
      const labels = (at: 0 | 1): ImageLabels => (isDense ? { image: column(dense[at], 1), ...(args.flag('ground_truth') ? { truth: column(dense[at], 0) } : {}) } : { image: flat[at] })
      const [top, left, bottom, right] = entry.numbers('bbox') as [number, number, number, number]
      const lambda = 1 - ((bottom - top) * (right - left)) / count
      const loss = label(image, tokens, labels(0), {
        ...(isDense ? { tokens: transpose(slice(dense[0], [0, 2], [dense[0].shape[0]!, count]), [1, 0]) } : {}),
        ...(lambda < 1 ? { mixed: { labels: labels(1), lambda: bench.fixed(`${key}.lambda`, [lambda], []) } } : {}),
        imageWeight: args.numberOr('cls_weight', 1),
        tokenWeight: args.numberOr('dense_weight', 1),
      })
      measured[`${key}.loss`] = { tensor: loss, recorded: [entry.number('loss')], near: 'single' }
      measured[`${key}.grad_cls`] = { tensor: bench.slope(loss, image), recorded: entry.tensor('grad_cls').data, near: 'gradient' }
      measured[`${key}.grad_aux`] = { tensor: bench.slope(loss, tokens), recorded: entry.tensor('grad_aux').data, near: 'gradient' }
    }
    return pipe(bench.measure(measured), map(checks => ({ checks })))
  },
}

const column = (target: Tensor, at: number): Tensor => reshape(slice(target, [0, at], [target.shape[0]!, 1]), [target.shape[0]!])
