import { sizeOf } from '../../shape/shape.js'
import { broken, defineLaw, kept, silent } from './core/law.js'
import { placeOf } from './core/outcome.js'
import { perturbed, someOf } from './core/perturbed.js'
import { singleTensor } from './core/singleTensor.js'

/** A layer acts only where it says it does: on an element, on the channels of one place, on one channel. */
export const staysInReach = defineLaw({
  name: 'staysInReach',
  title: 'a layer acts only where it may',
  meaning: 'Changing one number changes others it should not touch: look for a wrong axis, a reshape where a transpose belongs, or a statistic over too much.',
  cost: 'many',
  judge: subject => {
    const { only } = subject
    const reach = only?.definition.traits.reach
    const ends = singleTensor(subject)
    if (reach === undefined || ends === undefined) return silent('no single layer with a promised reach')
    const [from, to] = [ends.input.shape, ends.output.shape]
    const [channelsIn, channelsOut] = [from.at(-1) ?? 1, to.at(-1) ?? 1]
    const [size, outSize] = [sizeOf(from), sizeOf(to)]
    if (reach === 'element' && size !== outSize) return broken(`it gives ${outSize} numbers for ${size}, where each should make one`)
    if (reach === 'place' && size / channelsIn !== outSize / channelsOut) return broken(`it gives ${outSize / channelsOut} places for ${size / channelsIn}`)
    if (reach === 'channel' && channelsIn !== channelsOut) return broken(`it gives ${channelsOut} channels for ${channelsIn}`)
    const mayTouch = { element: (i: number, o: number) => i === o, place: (i: number, o: number) => Math.floor(i / channelsIn) === Math.floor(o / channelsOut), channel: (i: number, o: number) => i % channelsIn === o % channelsOut }[reach]
    const sample = subject.feed(1) as Float32Array
    const chosen = someOf(size, 16, subject.seed)
    const [before] = subject.define({ feed: sample, batch: 1 })
    const [after] = subject.define({ feed: perturbed(sample, chosen), batch: chosen.length })
    for (const [k, i] of chosen.entries())
      for (let o = 0; o < outSize; o++)
        if (!mayTouch(i, o) && Math.abs(after!.values[k * outSize + o]! - before!.values[o]!) > 1e-9) return broken(`the input${placeOf(i, from)} changes the output${placeOf(o, to)}, which is not its ${reach}`)
    return kept()
  },
})
