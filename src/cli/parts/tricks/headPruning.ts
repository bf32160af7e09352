import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Backend } from '../../../backends/device.js'
import { trace } from '../../../graph/trace.js'
import { input } from '../../../ops/ops.js'
import type { Tensor } from '../../../ops/tensor.js'
import { problem, type Problem } from '../../../shape/problem.js'
import { sizeOf } from '../../../shape/shape.js'
import { headImportance } from '../../../training/headImportance.js'
import { crossEntropy } from '../../../training/losses/crossEntropy.js'
import { oneHot } from '../../../training/losses/oneHot.js'
import { pruneHeads, type HeadsByPath } from '../../../weights/pruneHeads.js'
import { layouts } from '../layouts.js'
import { openRecording, type Recording } from '../recording.js'
import { Bench } from './bench.js'
import { Misread, type Recorded } from './recorded.js'
import type { Replayed, Trick } from './trick.js'

/**
 * The importance of heads in a recorded model, and what it gives without some of them. Errors: `noFixture`; those of
 * `openRecording`, `pruneHeads` and sessions.
 */
export const headPruning: Trick = {
  fields: ['fixture', 'prune', 'importance_mean_abs_per_sample'],
  replay: (recorded, backend, file) => async () => {
    const fixture = recorded.text('fixture')
    const path = foldersAbove(file).map(folder => join(folder, fixture)).find(existsSync)
    if (path === undefined) return left(problem('noFixture', `${file}: the recording of its model, ${fixture}, is not in any folder above`, { remedy: 'keep both in the folder they came in' }))
    const opened = await openRecording(path)()
    if (opened._tag === 'Left') return opened
    const replayed = await replay(recorded, backend, opened.right)()
    await opened.right.close()
    return replayed
  },
}

const foldersAbove = (file: string): readonly string[] => (dirname(file) === file ? [] : [dirname(file), ...foldersAbove(dirname(file))])

const replay = (recorded: Recorded, backend: Backend, { replica: { model }, graph, source }: Recording): TaskEither<Problem, Replayed> => async () => {
  const weights = new Map<string, Float32Array>()
  for (const { attributes: { name } } of graph.parameters) {
    const stored = await source.read(name)()
    if (stored._tag === 'Left') return stored
    weights.set(name, Float32Array.from(stored.right.data))
  }
  const stored = await source.read('@in/x')()
  if (stored._tag === 'Left') return stored
  const image = graph.inputs as Tensor<'input'>
  const x = layouts.ours(Float32Array.from(stored.right.data), stored.right.shape, image.shape)
  if (x === undefined) throw new Misread('the model takes another input than was recorded')
  const logits = graph.output as Tensor
  const attention = [...graph.features.keys()].filter(path => path.endsWith('.attn.weights')).map(path => path.slice(0, -'.weights'.length))
  const bench = benchWith(backend, weights, graph.parameters, image, x)
  const labels = bench.feed(input('labels', [], 'int32'), Int32Array.from(recorded.numbers('targets')))
  const importances = headImportance(graph, crossEntropy(logits, oneHot(labels, logits.shape[0]!)))
  const measured = await bench.compute(Object.fromEntries(attention.flatMap(path => [[path, importances[path]!.importance], [`${path}.signed`, importances[path]!.signed]])))()
  if (measured._tag === 'Left') return measured
  const all = (suffix: string): readonly (readonly number[])[] => attention.map(path => Array.from(measured.right[path + suffix]!))
  // How far the reference's own two ways are apart.
  recorded.passOver('max_abs_diff')
  const prune = recorded.object('prune')
  const heads: HeadsByPath = Object.fromEntries(prune.keys.map(layer => [attention[Number(layer)]!, prune.numbers(layer)]))
  const pruned = pruneHeads(model, weights, heads)
  if (pruned._tag === 'Left') return pruned
  const made = trace(pruned.right.model)
  if (made._tag === 'Left') return made
  const ran = await benchWith(backend, pruned.right.weights, made.right.parameters, made.right.inputs as Tensor<'input'>, x).compute({ logits: made.right.output as Tensor })()
  if (ran._tag === 'Left') return ran
  const gives = { ours: ran.right['logits']!, near: 'single' } as const
  return right({
    checks: {
      importance_mean_abs_per_sample: { ours: all('').flat(), recorded: recorded.tensor('importance_mean_abs_per_sample').data, near: 'gradient' },
      importance_signed_batch_grad: { ours: all('.signed').flat(), recorded: recorded.tensor('importance_signed_batch_grad').data, near: 'gradient' },
      importance_l2_normalised_per_layer: { ours: all('').flatMap(layer => layer.map(value => value / Math.hypot(...layer))), recorded: recorded.tensor('importance_l2_normalised_per_layer').data, near: 'gradient' },
      logits_masked: { ...gives, recorded: recorded.tensor('logits_masked').data },
      logits_structurally_pruned: { ...gives, recorded: recorded.tensor('logits_structurally_pruned').data },
      params_after: { ours: [made.right.parameters.reduce((total, { shape }) => total + sizeOf(shape), 0)], recorded: [recorded.number('params_after')], near: 'exact' },
    },
  })
}

const benchWith = (backend: Backend, weights: ReadonlyMap<string, Float32Array>, parameters: readonly Tensor<'parameter'>[], image: Tensor<'input'>, x: Float32Array | Int32Array): Bench => {
  const bench = new Bench(backend)
  for (const p of parameters) bench.feed(p, weights.get(p.attributes.name)!)
  bench.feed(image, x)
  return bench
}
