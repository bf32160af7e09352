import { pipe } from 'fp-ts/lib/function.js'
import { map } from 'fp-ts/lib/TaskEither.js'
import { oneHot, smoothLabels } from '../../../training/losses.js'
import { cutBox, cutMix, mixUp, reversed } from '../../../training/mixing.js'
import { Bench } from './bench.js'
import { channelsLast } from './channelsLast.js'
import type { Recorded } from './recorded.js'
import type { Check, Trick } from './trick.js'

/** One way of mixing, as it was recorded and as it is done here. */
interface Mix {
  readonly key: string
  readonly entry: Recorded
  /** The share that stays, for the targets. */
  readonly lambda: number
  readonly partners: readonly number[]
  readonly images: Float32Array
  readonly checks?: Readonly<Record<string, Check>>
}

/** MixUp and CutMix of timm: images, and targets with smoothed labels. */
export const mixing: Trick = {
  fields: ['input', 'labels', 'num_classes', 'cutmix'],
  replay: (recorded, backend) => {
    const { shape, data } = channelsLast(recorded.tensor('input'))
    const [samples, height, width] = shape as [number, number, number]
    const values = Float32Array.from(data)
    const mixes: readonly Mix[] = [
      ...recorded.objectsWith('lam').map(([key, entry]) => {
        const [lambda, partners] = [entry.number('lam'), entry.has('perm') ? entry.numbers('perm') : reversed(samples)]
        return { key, entry, lambda, partners, images: mixUp(values, samples, lambda, partners) }
      }),
      ...recorded.list('cutmix').map((entry, i): Mix => {
        const key = `cutmix.${i}`
        const { lambda, ...box } = cutBox({ height, width }, entry.number('lam_in'), [entry.number('center_y'), entry.number('center_x')])
        const checks: Record<string, Check> = {
          [`${key}.bbox_yl_yh_xl_xh`]: { ours: [box.top, box.bottom, box.left, box.right], recorded: entry.numbers('bbox_yl_yh_xl_xh'), near: 'exact' },
          [`${key}.lam_corrected`]: { ours: [lambda], recorded: [entry.number('lam_corrected')], near: 'double' },
        }
        return { key, entry, lambda, partners: reversed(samples), images: cutMix(values, samples, { height, width }, box), checks }
      }),
    ]
    const bench = new Bench(backend)
    const labels = oneHot(bench.labels('labels', recorded.numbers('labels')), recorded.number('num_classes'))
    const targets = Object.fromEntries(mixes.map(({ key, entry }) => [key, smoothLabels(labels, entry.number('smoothing'))]))
    const checksOf = ({ key, entry, lambda, partners, images, checks }: Mix, target: Float32Array): Readonly<Record<string, Check>> => ({
      ...checks,
      [`${key}.out`]: { ours: images, recorded: channelsLast(entry.tensor('out')).data, near: 'single' },
      [`${key}.target`]: { ours: mixUp(target, samples, lambda, partners), recorded: entry.tensor('target').data, near: 'single' },
    })
    return pipe(bench.compute(targets), map(computed => ({ checks: mixes.reduce<Record<string, Check>>((all, mix) => ({ ...all, ...checksOf(mix, computed[mix.key]!) }), {}) })))
  },
}
