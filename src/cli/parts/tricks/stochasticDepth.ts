import { pipe } from 'fp-ts/lib/function.js'
import { map } from 'fp-ts/lib/TaskEither.js'
import { dropPath } from '../../../layers/dropPath.js'
import { isOp } from '../../../ops/tensor.js'
import { rewriting } from '../../../passes/pass.js'
import { linearDropPath } from '../../../training/linearDropPath.js'
import { Bench } from './bench.js'
import { layerGraph } from './layerGraph.js'
import type { Check, Trick } from './trick.js'

/** Stochastic depth: the linear rule, and `dropPath` by a given mask. */
export const stochasticDepth: Trick = {
  fields: ['drop_path_apply'],
  replay: (recorded, backend) => {
    const rates = Object.fromEntries(recorded.objectsWith('per_block').map(([key, entry]): [string, Check] => {
      const depths = entry.isList('depths') ? entry.numbers('depths') : entry.number('depths')
      return [`${key}.per_block`, { ours: linearDropPath(entry.number('rate'), depths), recorded: entry.numbers('per_block'), near: 'single' }]
    }))
    const entry = recorded.object('drop_path_apply')
    const [x, keep] = [entry.tensor('x'), entry.number('keep_prob')]
    const { input, output } = layerGraph(dropPath(1 - keep), x.shape.slice(1), 'training')
    const bench = new Bench(backend)
    bench.feed(input, Float32Array.from(x.data))
    // The recording's own mask in the place of a drawn one.
    const [out] = rewriting(node => (isOp(node, 'dropMask') ? bench.batched('mask', { shape: [x.shape[0]!, ...node.shape], data: entry.numbers('per_sample_mask').map(kept => kept / keep) }) : node))([output])
    return pipe(bench.measure({ 'drop_path_apply.out': { tensor: out as typeof output, recorded: entry.tensor('out').data, near: 'single' } }), map(computed => ({ checks: { ...rates, ...computed } })))
  },
}
