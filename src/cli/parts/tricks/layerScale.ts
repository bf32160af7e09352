import { pipe } from 'fp-ts/lib/function.js'
import { map } from 'fp-ts/lib/TaskEither.js'
import { batchSum, multiply, sum } from '../../../ops/ops.js'
import type { Tensor } from '../../../ops/tensor.js'
import { layerScale as scale } from '../../../layers/layerScale.js'
import { Bench } from './bench.js'
import { layerGraph } from './layerGraph.js'
import type { Trick } from './trick.js'

/** LayerScale: what it gives, and its gradients for a gradient that arrives. */
export const layerScale: Trick = {
  fields: ['x', 'gamma', 'upstream', 'grad_gamma'],
  replay: (recorded, backend) => {
    const x = recorded.tensor('x')
    const { input, output, parameters } = layerGraph(scale(), x.shape.slice(1))
    const bench = new Bench(backend)
    const [from, gamma] = [bench.feed(input, Float32Array.from(x.data)), bench.feed(parameters[0]!, Float32Array.from(recorded.tensor('gamma').data))]
    const weighted = multiply(output, bench.batched('upstream', recorded.tensor('upstream')))
    const loss = batchSum(sum(weighted, weighted.shape.map((_, axis) => axis)))
    const gradient = (of: Tensor, key: string) => ({ tensor: bench.slope(loss, of), recorded: recorded.tensor(key).data, near: 'gradient' }) as const
    const measured = { out: { tensor: output, recorded: recorded.tensor('out').data, near: 'single' }, grad_x: gradient(from, 'grad_x'), grad_gamma: gradient(gamma, 'grad_gamma') } as const
    return pipe(bench.measure(measured), map(checks => ({ checks })))
  },
}
