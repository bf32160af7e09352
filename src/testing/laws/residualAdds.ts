import { parametersOf } from '../../graph/graph.js'
import { trace } from '../../graph/trace.js'
import { asOne } from '../../graph/tree/asOne.js'
import type { AnyLayer } from '../../layers/core/layer.js'
import { model } from '../../layers/core/model.js'
import { residual } from '../../layers/residual.js'
import { isTensor } from '../../ops/tensor.js'
import { byName } from './core/feeds.js'
import { broken, defineLaw, kept, silent, type Verdict } from './core/law.js'
import { difference } from './core/outcome.js'
import { Subject } from './core/subject.js'

/** `residual(f)(x)` is `x + f(x)`: what it adds is `f` and nothing else. A residual in the model is taken apart likewise. */
export const residualAdds = defineLaw({
  name: 'residualAdds',
  title: '`residual` keeps the shape, and residual(f)(x) − x = f(x)',
  meaning: 'A residual branch is not added to its input (dropped, added twice, scaled, normed outside): look at `residual` and at what stands around it.',
  cost: 'few',
  about: [residual],
  judge: (subject): Verdict => {
    const { input, layers } = subject.model
    const isResidual = layers.length === 1 && layers[0]!.definition.make === (residual as unknown)
    const [branch, shortcut] = isResidual ? (layers[0]!.definition.args as readonly [AnyLayer, AnyLayer?]) : [asOne(subject.model)]
    const whole = isResidual ? subject : new Subject(model(input, [residual(branch)]), subject.options)
    const { inputs } = subject.graph()
    if (!isTensor(inputs) || inputs.dtype !== 'float32') return silent('it does not take one tensor of floats')
    if (trace(whole.model)._tag === 'Left') return silent('it does not keep its shape')
    const feed = subject.feed(2)
    // The two ways ask for their weights in this order, under names that depend on which comes first.
    const values = [...whole.weights.values()]
    const through = (layer: AnyLayer): ArrayLike<number> => {
      const way = new Subject(model(input, [layer]), subject.options)
      const weights = new Map(parametersOf(way.graph()).map(p => [p.attributes.name, values.shift()!]))
      return way.define({ feed, batch: 2, weights })[0]!.values
    }
    const y = through(branch)
    const x = shortcut === undefined ? [...byName(inputs, feed).values()][0]! : through(shortcut)
    const sum = whole.define({ feed, batch: 2 })
    const { error, where } = difference(sum, [{ ...sum[0]!, values: Float64Array.from(y, (value, i) => value + x[i]!) }])
    return error <= 1e-9 ? kept() : broken(where)
  },
})
