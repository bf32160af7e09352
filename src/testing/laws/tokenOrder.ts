import { sizeOf } from '../../shape/shape.js'
import { broken, defineLaw, kept, silent } from './core/law.js'
import { difference } from './core/outcome.js'
import { shuffled } from './core/perturbed.js'
import { singleTensor } from './core/singleTensor.js'

/** Attention without positions does with shuffled tokens what it does with the tokens, shuffled; with positions it does not. */
export const tokenOrder = defineLaw({
  name: 'tokenOrder',
  title: 'permutation equivariance without positions, and its loss with them',
  meaning: 'A layer that should not know where tokens stand does, or one that should know does not: look at what is added to the scores, at axes of reshapes, and at whether positions are added at all.',
  cost: 'many',
  judge: subject => {
    const { only } = subject
    const order = only?.definition.traits.order
    const ends = singleTensor(subject)
    if (order === undefined || ends === undefined) return silent('no single layer that promises something of the order of tokens')
    const [width, widthOut] = [ends.input.shape.at(-1)!, ends.output.shape.at(-1)!]
    const places = sizeOf(ends.input.shape) / width
    if (places < 2) return silent('there is one place only')
    const seats = shuffled(places, subject.seed + 1)
    const moved = (values: ArrayLike<number>, channels: number): Float64Array => Float64Array.from(values, (_, i) => values[seats[Math.floor(i / channels)]! * channels + (i % channels)]!)
    const feed = subject.feed(1) as Float32Array
    const [before] = subject.define({ feed, batch: 1 })
    const after = subject.define({ feed: Float32Array.from(moved(feed, width)), batch: 1 })
    if (order !== 'invariant' && sizeOf(ends.output.shape) / widthOut !== places) return broken(`it gives ${sizeOf(ends.output.shape) / widthOut} places for ${places}`)
    const { error, where } = difference(after, [{ ...before!, values: order === 'invariant' ? before!.values : moved(before!.values, widthOut) }])
    if (order === 'positional') return error > 1e-7 ? kept() : broken('shuffled tokens give the shuffled output: positions have no effect')
    return error < 1e-9 ? kept() : broken(`with shuffled tokens ${where}${order === 'invariant' ? '' : ', once shuffled back'}`)
  },
})
