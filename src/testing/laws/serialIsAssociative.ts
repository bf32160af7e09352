import { parametersOf } from '../../graph/graph.js'
import { print } from '../../graph/print.js'
import { trace } from '../../graph/trace.js'
import { identity } from '../../layers/identity.js'
import { serial } from '../../layers/serial.js'
import type { AnyLayer } from '../../layers/core/layer.js'
import { model, type AnyModel } from '../../layers/core/model.js'
import { broken, defineLaw, kept } from './core/law.js'
import { need } from './core/subject.js'

/** The text of everything a model computes and is made of. */
const text = (m: AnyModel): string => {
  const graph = need(trace(m))
  return `${print([graph.output])}\n${parametersOf(graph).map(p => p.attributes.name).join()}`
}

const nestedLeft = (layers: readonly AnyLayer[]): AnyLayer => layers.slice(1).reduce((all, layer) => serial(all, layer), serial(...layers.slice(0, 1)))
const nestedRight = (layers: readonly AnyLayer[]): AnyLayer => layers.slice(0, -1).reduceRight((all, layer) => serial(layer, all), serial(...layers.slice(-1)))

/** Layers one after the other are the same however they are grouped, and `identity` changes nothing. */
export const serialIsAssociative = defineLaw({
  name: 'serialIsAssociative',
  title: '`serial` is associative, with `identity` as its unit',
  meaning: 'A group of layers is not what its layers are one by one: look at `serial` and `identity`, or at a layer that depends on what stands around it.',
  cost: 'trace',
  about: [serial],
  judge: ({ model: { input, layers } }) => {
    // The parts of a `serial` count as layers in a row: that is what is claimed.
    const flat = layers.flatMap(function parts(layer: AnyLayer): readonly AnyLayer[] {
      return layer.definition.make === (serial as unknown) ? (layer.definition.args as readonly AnyLayer[]).flatMap(parts) : [layer]
    })
    const expected = text(model(input, flat))
    const groupings: Readonly<Record<string, readonly AnyLayer[]>> = {
      'as it is written': layers,
      'in one serial': [serial(...flat)],
      'grouped from the left': [nestedLeft(flat)],
      'grouped from the right': [nestedRight(flat)],
      'with identities between': [identity(), ...flat.flatMap(layer => [layer, identity()])],
    }
    const other = Object.entries(groupings).find(([, grouped]) => text(model(input, grouped)) !== expected)
    return other === undefined ? kept() : broken(`${other[0]}, the model computes something else than its layers in a row`)
  },
})
