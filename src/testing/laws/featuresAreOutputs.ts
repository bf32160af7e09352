import { compile } from '../../backends/compile.js'
import type { AnyLayer } from '../../layers/core/layer.js'
import { model } from '../../layers/core/model.js'
import { named } from '../../layers/named.js'
import { serial } from '../../layers/serial.js'
import { when } from '../../layers/when.js'
import { placesOf, type Place } from '../shrink/placesOf.js'
import { broken, defineLaw, kept, silent } from './core/law.js'
import { difference, outcomeOf } from './core/outcome.js'
import { need, Subject } from './core/subject.js'

/** What a layer's feature holds is the output of the model cut off after that layer, and features are in the order of layers. */
export const featuresAreOutputs = defineLaw({
  name: 'featuresAreOutputs',
  title: 'a feature is the output of the model cut off there',
  meaning: 'A feature holds another signal than its layer made, or two layers are known by one path: look at what is recorded, at scopes, and at buffers freed too early.',
  cost: 'few',
  judge: async subject => {
    const { features } = subject.graph()
    // The parts of a `serial` are layers in a row, and can be cut off as such.
    const row = subject.model.layers.flatMap(inRow)
    const places = placesOf(model(subject.model.input, row))
    // A layer without a scope has its parent's path, and no feature of its own.
    const paths = (place: Place, parent: string): readonly string[] => [...place.children.flatMap(child => paths(child, place.path)), ...(place.path === parent ? [] : [place.path])]
    const order = [...new Set(places.flatMap(place => paths(place, '')))].filter(path => features.has(path))
    const recorded = [...features.keys()].filter(path => order.includes(path))
    if (order.join() !== recorded.join()) return broken(`features are ${recorded.join(', ')}, but layers run in the order ${order.join(', ')}`)
    const cuts = row.slice(0, -1).flatMap((_, i) => {
      const path = places[i] === undefined ? '' : pathOf(places[i])
      return path !== '' && features.has(path) ? [{ path, upTo: i + 1 }] : []
    })
    const last = cuts.filter(({ path, upTo }) => !places.slice(upTo).some(later => pathOf(later) === path))
    if (last.length === 0) return silent('no inner layer has a path of its own')
    const feed = subject.feed(2)
    for (const backend of subject.backends) {
      const program = need(await compile(subject.model, { backend, weights: subject.weights, features: last.map(({ path }) => path) })())
      try {
        const ran = need(await program.runWithFeatures(feed as never)())
        for (const { path, upTo } of last) {
          const cut = new Subject(model(subject.model.input, row.slice(0, upTo)), subject.options)
          const { error, where } = difference(outcomeOf(features.get(path)!, ran.features[path]), cut.define({ feed, batch: 2, weights: subject.weights }))
          if (error > subject.tolerance) return broken(`on ${backend.name}, of the feature '${path}' ${where}`)
        }
      } finally {
        program.dispose()
      }
    }
    return kept()
  },
})

const inRow = (layer: AnyLayer): readonly AnyLayer[] => (layer.definition.make === (serial as unknown) ? (layer.definition.args as readonly AnyLayer[]).flatMap(inRow) : [layer])

/** The path under which a layer's output is a feature: its own, or that of the last layer in it where it only passes that on. */
const pathOf = ({ path, layer, children }: Place): string => {
  const isPassage = [named, serial, when].some(make => layer.definition.make === (make as unknown))
  return path === '' && isPassage && children.length > 0 ? pathOf(children.at(-1)!) : path
}
