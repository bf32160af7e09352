import { pipe } from 'fp-ts/lib/function.js'
import { map } from 'fp-ts/lib/TaskEither.js'
import { boxMask, mixToken as mix } from '../../../training/mixing.js'
import { Bench } from './bench.js'
import { channelsLast } from './channelsLast.js'
import { inReverse } from './inReverse.js'
import type { Trick } from './trick.js'

/** LV-ViT's MixToken: a box of a map of tokens from the batch in reverse. */
export const mixToken: Trick = {
  fields: ['x', 'bbox_rows_cols', 'out'],
  replay: (recorded, backend) => {
    const bench = new Bench(backend)
    const x = channelsLast(recorded.tensor('x'))
    const [top, bottom, left, right] = recorded.numbers('bbox_rows_cols') as [number, number, number, number]
    const [height, width] = x.shape.slice(1) as [number, number]
    const inside = bench.fixed('box', [...boxMask({ height, width }, { top, bottom, left, right })], [height, width, 1])
    const out = mix(bench.batched('x', x), bench.batched('partner', inReverse(x)), inside)
    return pipe(bench.measure({ out: { tensor: out, recorded: channelsLast(recorded.tensor('out')).data, near: 'single' } }), map(checks => ({ checks })))
  },
}
