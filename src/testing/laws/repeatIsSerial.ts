import { parametersOf } from '../../graph/graph.js'
import { print } from '../../graph/print.js'
import { trace } from '../../graph/trace.js'
import { asOne } from '../../graph/tree/asOne.js'
import { isLayer, type AnyLayer } from '../../layers/core/layer.js'
import { model } from '../../layers/core/model.js'
import { named } from '../../layers/named.js'
import { repeat } from '../../layers/repeat.js'
import { serial } from '../../layers/serial.js'
import { broken, defineLaw, kept, silent, type Verdict } from './core/law.js'
import { need, type Subject } from './core/subject.js'

/** `repeat(n)` is the block n times in a row, each under its number with weights of its own. */
export const repeatIsSerial = defineLaw({
  name: 'repeatIsSerial',
  title: '`repeat(n)` is an n-fold `serial`',
  meaning: 'Repeated blocks are not the block so many times, each with its own weights: look at `repeat`, or for a block that shares weights or keeps something between calls.',
  cost: 'trace',
  about: [repeat],
  judge: (subject): Verdict => {
    const { only } = subject
    if (only?.definition.make === (repeat as unknown)) {
      const [times, block, config] = only!.definition.args as readonly [number, AnyLayer | ((index: number) => AnyLayer), { readonly first?: number }?]
      return compared(subject, only!, times, index => (isLayer(block) ? block : block(index)), config?.first ?? 0)
    }
    const block = asOne(subject.model)
    const twice = repeat(2, block)
    if (trace(model(subject.model.input, [twice]))._tag === 'Left') return silent('it does not keep its shape, so it cannot be repeated')
    return compared(subject, twice, 2, () => block, 0)
  },
})

const compared = ({ model: { input } }: Subject, repeated: AnyLayer, times: number, block: (index: number) => AnyLayer, first: number): Verdict => {
  const one = need(trace(model(input, [repeated])))
  const unrolled = need(trace(model(input, [named('blocks', serial(...Array.from({ length: times }, (_, i) => named(String(first + i), block(i)))))])))
  const names = (graph: typeof one): string => parametersOf(graph).map(p => p.attributes.name).join()
  if (names(one) !== names(unrolled)) return broken(`its parameters are ${names(one) || 'none'}, where ${times} blocks in a row have ${names(unrolled) || 'none'}`)
  return print([one.output]) === print([unrolled.output]) ? kept() : broken(`${times} repetitions compute something else than ${times} blocks in a row`)
}
