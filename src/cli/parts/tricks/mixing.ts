import { pipe } from 'fp-ts/lib/function.js'
import { map } from 'fp-ts/lib/TaskEither.js'
import { oneHot, smoothLabels } from '../../../training/losses.js'
import { cutBox, cutMix, mixUp, reversed, type Box, type MapSize } from '../../../training/mixing.js'
import { Bench } from './bench.js'
import { channelsLast } from './channelsLast.js'
import { Misread, type Recorded } from './recorded.js'
import type { Check, Trick } from './trick.js'

/** One way of mixing, as it was recorded and as it is done here. */
interface Mix {
  readonly key: string
  readonly entry: Recorded
  /** The share that stays, for the targets: one for all, or one for each sample. */
  readonly lambda: number | readonly number[]
  readonly partners: readonly number[]
  readonly images: Float32Array
  readonly checks?: Readonly<Record<string, Check>>
}

/** MixUp and CutMix of timm: images, and targets with smoothed labels. */
export const mixing: Trick = {
  fields: ['input', 'labels', 'num_classes'],
  replay: (recorded, backend) => {
    const { shape, data } = channelsLast(recorded.tensor('input'))
    const [samples, height, width] = shape as [number, number, number]
    const values = Float32Array.from(data)
    const partnersOf = (entry: Recorded): readonly number[] => (entry.has('perm') ? entry.numbers('perm') : reversed(samples))
    const cut = (key: string, entry: Recorded): Mix => {
      const { box, lambda, checks } = cutOf(key, entry, { height, width })
      const partners = partnersOf(entry)
      return { key, entry, lambda, partners, images: cutMix(values, samples, { height, width }, box, partners), checks }
    }
    const mixes: readonly Mix[] = [
      ...recorded.objectsWith('lam').map(([key, entry]) => {
        const [lambda, partners] = [entry.oneOrEach('lam'), partnersOf(entry)]
        if (typeof lambda !== 'number' && lambda.length !== samples) throw new Misread(`${key}.lam is neither one share nor one for each of the ${samples} samples`)
        return { key, entry, lambda, partners, images: mixUp(values, samples, lambda, partners) }
      }),
      ...(recorded.has('cutmix') ? recorded.list('cutmix').map((entry, i) => cut(`cutmix.${i}`, entry)) : []),
      ...recorded.objectsWith('bbox_yl_yh_xl_xh').map(([key, entry]) => cut(key, entry)),
    ]
    const bench = new Bench(backend)
    const labels = oneHot(bench.labels('labels', recorded.numbers('labels')), recorded.number('num_classes'))
    const targets = Object.fromEntries(mixes.map(({ key, entry }) => [key, smoothLabels(labels, entry.numberOr('smoothing', 0))]))
    const checksOf = ({ key, entry, lambda, partners, images, checks }: Mix, target: Float32Array): Readonly<Record<string, Check>> => ({
      ...checks,
      [`${key}.out`]: { ours: images, recorded: channelsLast(entry.tensor('out')).data, near: 'single' },
      [`${key}.target`]: { ours: mixUp(target, samples, lambda, partners), recorded: entry.tensor('target').data, near: 'single' },
    })
    return pipe(bench.compute(targets), map(computed => ({ checks: mixes.reduce<Record<string, Check>>((all, mix) => ({ ...all, ...checksOf(mix, computed[mix.key]!) }), {}) })))
  },
}

/** The box of CutMix and the share that stays: found from its centre, where that was recorded, else as it was drawn. */
const cutOf = (key: string, entry: Recorded, size: MapSize): { readonly box: Box; readonly lambda: number; readonly checks: Readonly<Record<string, Check>> } => {
  const drawn = entry.numbers('bbox_yl_yh_xl_xh')
  const [top, bottom, left, right] = drawn as [number, number, number, number]
  const centre = entry.has('center_y') ? ([entry.number('center_y'), entry.number('center_x')] as const) : undefined
  const { lambda, ...box } = centre === undefined ? { top, bottom, left, right, lambda: 1 - ((bottom - top) * (right - left)) / (size.height * size.width) } : cutBox(size, entry.number('lam_in'), centre)
  return {
    box,
    lambda,
    checks: {
      ...(centre === undefined ? {} : { [`${key}.bbox_yl_yh_xl_xh`]: { ours: [box.top, box.bottom, box.left, box.right], recorded: drawn, near: 'exact' } }),
      [`${key}.lam_corrected`]: { ours: [lambda], recorded: [entry.number('lam_corrected')], near: 'double' },
    },
  }
}
