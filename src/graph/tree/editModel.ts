import { isLayer, type AnyLayer } from '../../layers/core/layer.js'
import { model, type AnyModel } from '../../layers/core/model.js'

/** Where a layer is written in a model: the way to it through arguments, numbers of blocks and names of fields, `0.1.3`. */
export type Address = string

/** What becomes of the layer at an address, given what became of those inside it, and as it was. */
export type Edit = (address: Address, layer: AnyLayer, before: AnyLayer) => AnyLayer

/**
 * A model with every layer that is written in it replaced by what `edit` makes of it, from the inside out: as
 * `mapLayer`, but telling layers apart by where they are, the blocks of a `repeat` too.
 *
 * @param within addresses where something is to change; what none of them leads to stays as it is (default: all)
 *
 * @example
 * editModel(pipe(input(4), linear(10)), (address, layer) => (address === '0' ? linear(3) : layer)).layers[0].definition.args[0] // 3
 */
export const editModel = (m: AnyModel, edit: Edit, within?: Iterable<Address>): AnyModel => {
  const leads = within === undefined ? () => true : leadingTo([...within])
  return model(m.input, m.layers.map((layer, i) => edited(layer, String(i), edit, leads)))
}

const leadingTo = (addresses: readonly Address[]) => {
  const ways = new Set(addresses.flatMap(address => address.split('.').map((_, i, keys) => keys.slice(0, i + 1).join('.'))))
  return (address: Address): boolean => ways.has(address)
}

const edited = (layer: AnyLayer, address: Address, edit: Edit, leads: (address: Address) => boolean): AnyLayer => {
  if (!isLayer(layer) || !leads(address)) return layer
  const { kind, make, args } = layer.definition
  const inner = args.map((arg, i) => editedArgument(arg, `${address}.${i}`, edit, leads, kind === 'repeat'))
  return edit(address, inner.every((arg, i) => arg === args[i]) ? layer : make(...(inner as never[])), layer)
}

const editedArgument = (arg: unknown, address: Address, edit: Edit, leads: (address: Address) => boolean, isRepeated: boolean): unknown => {
  if (!leads(address)) return arg
  // One block written once is many places.
  if (typeof arg === 'function' && (isRepeated || !isLayer(arg))) return (index: number) => edited(isLayer(arg) ? arg : (arg as (index: number) => AnyLayer)(index), `${address}.${index}`, edit, leads)
  if (isLayer(arg)) return edited(arg, address, edit, leads)
  if (typeof arg !== 'object' || arg === null || Array.isArray(arg) || !Object.values(arg).some(isLayer)) return arg
  return Object.fromEntries(Object.entries(arg).map(([name, value]) => [name, editedArgument(value, `${address}.${name}`, edit, leads, false)]))
}
