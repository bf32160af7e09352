import type { Choice } from '../../layers/core/choice.js'
import { isLayer, type AnyLayer } from '../../layers/core/layer.js'
import { constructors } from '../arbitraries/constructors.js'

/** Whether an argument is a record of options. */
export const isOptions = (arg: unknown): arg is Readonly<Record<string, unknown>> => typeof arg === 'object' && arg !== null && !Array.isArray(arg) && !Object.values(arg).some(isLayer)

/**
 * The arguments of a layer with its options written out, those too that have their default. What a layer's description
 * does not name, and all of a user's own layer, stays as it was given.
 *
 * @example
 * filledOptions(linear(10)) // [10, { bias: true }]
 */
export const filledOptions = ({ definition: { kind, make, args, config } }: Pick<AnyLayer, 'definition'>): readonly unknown[] => {
  const known = constructors[kind]?.make === make ? (constructors[kind].arguments ?? []) : []
  const ways: readonly (readonly Choice[])[] = 'ways' in known ? known.ways : [known]
  return args.map((arg, i) => {
    const choice = ways.map(way => way[i]).find(c => c?.kind === 'options')
    if (!isOptions(arg) || choice?.kind !== 'options') return arg
    const names = [...Object.keys(choice.needed), ...Object.keys(choice.optional)]
    return { ...Object.fromEntries(names.filter(name => config[name] !== undefined).map(name => [name, config[name]])), ...arg }
  })
}
