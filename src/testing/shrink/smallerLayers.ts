import { isLayer, type AnyLayer } from '../../layers/core/layer.js'
import { layersIn, layersOf } from './countLayers.js'

/**
 * Layers that are smaller than one and may stand for it, the boldest first: what it holds, itself with less inside, and
 * itself with options left out. They may not fit where it stood.
 */
export function* smallerLayers(layer: AnyLayer): Generator<AnyLayer> {
  const { args } = layer.definition
  yield* layersOf(layer)
  const whole = args.every(isLayer)
  for (const [i, arg] of args.entries()) {
    if (whole && args.length > 1) yield* made(layer, args.filter((_, j) => j !== i))
    for (const smaller of smallerArguments(arg, args)) yield* made(layer, args.map((other, j) => (j === i ? smaller : other)))
  }
  // A last argument that can be left out.
  if (!whole && args.length > 1) yield* made(layer, args.slice(0, -1))
}

function* smallerArguments(arg: unknown, args: readonly unknown[]): Generator {
  if (isLayer(arg)) yield* smallerLayers(arg)
  else if (typeof arg === 'function') yield* layersIn(arg, args)
  else if (isRecord(arg)) {
    const entries = Object.entries(arg).filter(([, value]) => value !== undefined)
    // All options at once first; a record of layers is not emptied.
    if (entries.length > 1 && !entries.some(([, value]) => isLayer(value))) yield {}
    if (entries.length > 1 || !entries.some(([, value]) => isLayer(value))) for (const [name] of entries) yield Object.fromEntries(entries.filter(([other]) => other !== name))
    for (const [name, value] of entries) if (isLayer(value)) for (const smaller of smallerLayers(value)) yield { ...arg, [name]: smaller }
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** A layer of the same kind with other arguments; a user's own constructor may not take them. */
const made = ({ definition: { make } }: AnyLayer, args: readonly unknown[]): readonly AnyLayer[] => {
  try {
    const layer: unknown = make(...(args as never[]))
    return isLayer(layer) ? [layer] : []
  } catch {
    return []
  }
}
