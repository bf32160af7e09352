import { isLayer, type AnyLayer } from '../../layers/core/layer.js'

/** Whether an argument is a record of options. */
export const isOptions = (arg: unknown): arg is Readonly<Record<string, unknown>> => typeof arg === 'object' && arg !== null && !Array.isArray(arg) && !Object.values(arg).some(isLayer)

/**
 * The arguments of a layer with every option written out, those too that have their default. What is given in a
 * place of its own, such as the `dim` of `linear`, is no option.
 *
 * @example
 * filledOptions(linear(10)) // [10, { bias: true }]
 */
export const filledOptions = ({ definition: { args, config } }: Pick<AnyLayer, 'definition'>): readonly unknown[] =>
  args.map(arg => {
    if (!isOptions(arg)) return arg
    const placed = args.filter(other => other !== arg)
    return { ...Object.fromEntries(Object.entries(config).filter(([name, value]) => !(value === undefined || placed.includes(value)) || name in arg)), ...arg }
  })
