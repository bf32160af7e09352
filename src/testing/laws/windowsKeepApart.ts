import { trace } from '../../graph/trace.js'
import type { AnyLayer } from '../../layers/core/layer.js'
import { model } from '../../layers/core/model.js'
import { windows } from '../../layers/windows.js'
import { pairOf, type Pair } from '../../shape/patches.js'
import { broken, defineLaw, kept, silent, type Verdict } from './core/law.js'
import { difference } from './core/outcome.js'
import { perturbed, someOf } from './core/perturbed.js'
import { singleTensor } from './core/singleTensor.js'
import { Subject } from './core/subject.js'

interface Config {
  readonly windowSize: Pair
  readonly shift?: Pair
  readonly clamp?: 'each' | 'both' | 'never'
  readonly dilated?: boolean
}

/** Windows see themselves and nothing else, shifted ones too; and on a map that is one window, shifted and plain windows are the block itself. */
export const windowsKeepApart = defineLaw({
  name: 'windowsKeepApart',
  title: 'windows keep apart, and shifted and plain ones agree on one window',
  meaning: 'What is in one window reaches another, or not all of its own: look at how `windows` rolls, cuts and joins the map, and at the mask of shifted windows.',
  cost: 'many',
  judge: subject => {
    const { only } = subject
    if (only === undefined || only.definition.make !== (windows as unknown) || singleTensor(subject) === undefined) return silent('no windows')
    const [config, block] = only.definition.args as readonly [Config, AnyLayer]
    const onOne = onOneWindow(subject, config, block)
    return onOne.is === 'broken' ? onOne : apart(subject, config)
  },
})

/** A map that is one window: shifted windows, plain ones and the block on its tokens are the same. */
const onOneWindow = (subject: Subject, config: Config, block: AnyLayer): Verdict => {
  const side = Math.min(...pairOf(config.windowSize))
  const channels = singleTensor(subject)!.input.shape[2]!
  const of = (layer: AnyLayer, shape: readonly number[]): Subject => new Subject(model({ shape, dtype: 'float32' }, [layer]), subject.options)
  const whole = [side, side, channels]
  const ways = [of(block, [side * side, channels]), of(windows({ ...config, windowSize: side, shift: 0 } as never, block), whole), of(windows({ ...config, windowSize: side, clamp: 'each' } as never, block), whole)]
  if (config.shift !== undefined && pairOf(config.shift).some(by => by >= side)) ways.pop()
  if (ways.some(way => trace(way.model)._tag === 'Left')) return silent('the block does not fit a square window')
  const feed = ways[0]!.feed(2)
  const [alone, ...others] = ways.map(way => way.define({ feed, batch: 2, weights: ways[0]!.weights }))
  for (const [i, other] of others.entries()) {
    const { error, where } = difference([{ ...other[0]!, node: alone![0]!.node }], alone!)
    if (error > 1e-9) return broken(`on a map that is one window, ${i === 0 ? 'plain' : 'shifted'} windows are not the block on its tokens: ${where}`)
  }
  return kept()
}

/** Along one axis: which window a place is in, and on which side of the seam that rolling makes. */
const seats = (size: number, window: number, shift: number, dilated: boolean): readonly string[] =>
  Array.from({ length: size }, (_, at) => {
    if (dilated) return String(at % Math.ceil(size / window))
    const rolled = (at - shift + size) % size
    // Where windows do not divide the map, published masks let the seam through: only windows are told apart.
    const side = size % window === 0 && at < shift ? 'wrapped' : 'straight'
    return `${Math.floor(rolled / window)} ${side}`
  })

const apart = (subject: Subject, { windowSize, shift = 0, clamp = 'each', dilated = false }: Config): Verdict => {
  const { input, output } = singleTensor(subject)!
  const [height, width, channels] = input.shape as readonly [number, number, number]
  const [window, by, map] = [pairOf(windowSize), pairOf(shift), [height, width]]
  const covers = map.map((size, axis) => clamp !== 'never' && size <= window[axis]!)
  const [either, isLarger] = [clamp === 'both' && covers.some(Boolean), map.some((size, axis) => size < window[axis]!)]
  const [rows, columns] = map.map((size, axis) =>
    either ? seats(size, isLarger ? Math.min(height, width) : window[axis]!, 0, dilated) : covers[axis] === true ? seats(size, size, 0, dilated) : seats(size, window[axis]!, by[axis]!, dilated),
  ) as [readonly string[], readonly string[]]
  const group = (place: number): string => `${rows[Math.floor(place / width)]}|${columns[place % width]}`
  const sample = subject.feed(1) as Float32Array
  const chosen = someOf(height * width, 12, subject.seed)
  const outChannels = output.shape[2]!
  const before = subject.define({ feed: sample, batch: 1 })[0]!.values
  const after = subject.define({ feed: perturbed(sample, chosen.map(place => place * channels)), batch: chosen.length })[0]!.values
  const total = height * width * outChannels
  for (const [k, from] of chosen.entries())
    for (let to = 0; to < height * width; to++) {
      const changes = Array.from({ length: outChannels }, (_, c) => Math.abs(after[k * total + to * outChannels + c]! - before[to * outChannels + c]!)).some(change => change > 1e-12)
      if (changes && group(from) !== group(to)) return broken(`${told(from, width)} reaches ${told(to, width)}, which is in another window`)
    }
  return kept()
}

const told = (place: number, width: number): string => `row ${Math.floor(place / width)}, column ${place % width}`
