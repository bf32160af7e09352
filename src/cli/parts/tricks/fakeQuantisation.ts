import { pipe } from 'fp-ts/lib/function.js'
import { map } from 'fp-ts/lib/TaskEither.js'
import { average } from '../../../training/losses/average.js'
import { multiply, scalar } from '../../../ops/ops.js'
import { fakeQuantised } from '../../../layers/core/quantise.js'
import { quantisationScales } from '../../../weights/quantisationScales.js'
import { sizeOf } from '../../../shape/shape.js'
import { Bench, type Measured } from './bench.js'
import type { Recorded, RecordedTensor } from './recorded.js'
import type { Check, Trick } from './trick.js'

/** Fake quantisation: what it gives, and its gradient for one that arrives. */
export const fakeQuantisation: Trick = {
  fields: ['w', '*.qmin'],
  replay: (recorded, backend) => {
    const bench = new Bench(backend)
    const own = recorded.tensor('w')
    const w = bench.fixed('w', own.data, own.shape)
    const cases = recorded.objectsWith('out').filter(([, entry]) => entry.has('scale'))
    const measured = Object.fromEntries(cases.flatMap(([key, entry]): (readonly [string, Measured])[] => {
      const x = entry.has('x') ? bench.fixed(`${key}.x`, entry.tensor('x').data, entry.tensor('x').shape) : w
      const out = fakeQuantised(x, gridOf(entry))
      const given = [`${key}.out`, { tensor: out, recorded: entry.tensor('out').data, near: 'single' }] as const
      if (!entry.has('grad')) return [given]
      const { data, shape } = entry.tensor('upstream')
      const loss = multiply(average(multiply(out, bench.fixed(`${key}.upstream`, data, shape))), scalar(sizeOf(shape)))
      return [given, [`${key}.grad`, { tensor: bench.slope(loss, x), recorded: entry.tensor('grad').data, near: 'gradient' }]]
    }))
    return pipe(bench.measure(measured), map(checks => ({ checks: { ...checks, ...observed(recorded, own) } })))
  },
}

/** The scales that PyTorch's observers find. */
const observed = (recorded: Recorded, { data, shape }: RecordedTensor): Readonly<Record<string, Check>> => {
  if (!recorded.has('torch_observer')) return {}
  const entry = recorded.object('torch_observer')
  const scales = (axis?: number): readonly number[] => quantisationScales(data, shape, { range: [-128, 127], ...(axis === undefined ? {} : { axis }) })
  return {
    'torch_observer.per_tensor_scale': { ours: scales(), recorded: [entry.number('per_tensor_scale')], near: 'single' },
    'torch_observer.per_channel_scale': { ours: scales(0), recorded: entry.tensor('per_channel_scale').data, near: 'single' },
  }
}

const gridOf = (entry: Recorded) => ({
  scale: entry.oneOrEach('scale'),
  zeroPoint: entry.has('zero_point') ? entry.oneOrEach('zero_point') : 0,
  range: [entry.number('qmin'), entry.number('qmax')] as const,
  ...(entry.has('axis') ? { axis: entry.number('axis') } : {}),
})
