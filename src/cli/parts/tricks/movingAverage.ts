import { pipe } from 'fp-ts/lib/function.js'
import { map } from 'fp-ts/lib/TaskEither.js'
import type { Tensor } from '../../../ops/tensor.js'
import { movingAverage as average } from '../../../training/movingAverage.js'
import { Bench, type Measured } from './bench.js'
import { Misread, type Recorded } from './recorded.js'
import type { Trick } from './trick.js'

/** The moving average of a weight over several updates. */
export const movingAverage: Trick = {
  fields: ['decay', 'init', 'updates', 'ema'],
  replay: (recorded, backend) => {
    const bench = new Bench(backend)
    const start = recorded.numbers('init')
    const [updates, averages] = [rows(recorded, 'updates', start.length), rows(recorded, 'ema', start.length)]
    if (updates.length !== averages.length) throw new Misread('ema is not one average an update')
    let current: Tensor = bench.fixed('init', start, [start.length])
    const measured: Record<string, Measured> = {}
    updates.forEach((update, i) => {
      current = average(current, bench.fixed(`updates.${i}`, update, [start.length]), recorded.number('decay'))
      measured[`ema.${i}`] = { tensor: current, recorded: averages[i]!, near: 'single' }
    })
    return pipe(bench.measure(measured), map(checks => ({ checks })))
  },
}

const rows = (recorded: Recorded, key: string, width: number): readonly (readonly number[])[] => {
  const all = recorded.numbers(key)
  return Array.from({ length: all.length / width }, (_, i) => all.slice(i * width, (i + 1) * width))
}
