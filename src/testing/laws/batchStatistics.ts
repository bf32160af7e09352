import { tensorsOf } from '../../ops/tensor.js'
import { evaluate } from './core/evaluate.js'
import { byName } from './core/feeds.js'
import { broken, defineLaw, kept, silent } from './core/law.js'
import { singleTensor } from './core/singleTensor.js'

const batch = 4

/** A layer with running statistics normalises every channel over the batch in training, and updates them as PyTorch does: biased for the output, unbiased for the record. */
export const batchStatistics = defineLaw({
  name: 'batchStatistics',
  title: 'in training, channels are normalised over the batch, and running statistics follow',
  meaning: 'The mean or the variance of a batch is taken over the wrong axes, or the running one is updated wrongly: look at what the layer does in training, which inference does not show.',
  cost: 'few',
  judge: subject => {
    const { only } = subject
    const ends = singleTensor(subject)
    const parameters = subject.graph().parameters.map(p => p.attributes.name)
    const named = (name: string): string | undefined => parameters.find(p => p === name || p.endsWith(`.${name}`))
    const [meanName, varianceName] = [named('running_mean'), named('running_var')]
    const momentum = only?.definition.config['momentum']
    if (ends === undefined || meanName === undefined || varianceName === undefined || typeof momentum !== 'number') return silent('no single layer with running statistics')
    if (only?.definition.config['activation'] !== undefined) return silent('an activation follows the norm')
    const channels = ends.input.shape.at(-1)!
    const graph = subject.graph('training')
    const feed = subject.feed(batch)
    const lost = [meanName, varianceName].find(name => !graph.features.has(name))
    if (lost !== undefined) return broken(`in training no new '${lost}' is recorded`)
    const records = [meanName, varianceName].flatMap(name => tensorsOf(graph.features.get(name)!))
    const [output, ...updated] = evaluate([...tensorsOf(graph.output), ...records], { batch, inputs: byName(graph.inputs, feed), weights: subject.weights })
    const [scale, shift] = ['weight', 'bias'].map(name => subject.weights.get(named(name) ?? ''))
    const epsilon = (only?.definition.config['epsilon'] as number | undefined) ?? 0
    for (let c = 0; c < channels; c++) {
      const of = (data: ArrayLike<number>): readonly number[] => Array.from(data).filter((_, i) => i % channels === c)
      const [before, after] = [moments(of(feed as Float32Array)), moments(of(output!.data))]
      const [mean, variance] = [shift?.[c] ?? 0, ((scale?.[c] ?? 1) ** 2 * before.variance) / (before.variance + epsilon)]
      if (Math.abs(after.mean - mean) > 1e-4) return broken(`in training, channel ${c} has a mean of ${after.mean.toPrecision(4)} over the batch, not ${mean.toPrecision(4)}`)
      if (Math.abs(after.variance - variance) > 1e-4) return broken(`in training, channel ${c} has a variance of ${after.variance.toPrecision(4)} over the batch, not ${variance.toPrecision(4)}`)
      const unbiased = (before.variance * before.count) / Math.max(1, before.count - 1)
      const wrong = [[meanName, before.mean], [varianceName, unbiased]].findIndex(([name, value], i) => Math.abs(updated[i]!.data[c]! - ((1 - momentum) * subject.weights.get(name as string)![c]! + momentum * (value as number))) > 1e-4)
      if (wrong >= 0) return broken(`the new ${wrong === 0 ? 'running_mean' : 'running_var'} of channel ${c} is ${updated[wrong]!.data[c]!.toPrecision(4)}, which is not a blend of the old one and the batch's`)
    }
    return kept()
  },
})

const moments = (values: readonly number[]): { readonly mean: number; readonly variance: number; readonly count: number } => {
  const mean = values.reduce((a, b) => a + b, 0) / values.length
  return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length, count: values.length }
}
