import { right, type Either } from 'fp-ts/lib/Either.js'
import { named } from '../layers/named.js'
import { isLayer, type AnyLayer } from '../layers/core/layer.js'
import { model, type AnyModel } from '../layers/core/model.js'
import { shapeOfSignal } from '../layers/core/refuse.js'
import type { Problem } from '../shape/problem.js'
import type { SignalShape } from '../shape/shape.js'
import { multiplyAdds, parameterCount } from './cost.js'
import { trace } from './trace.js'

/** One step of a recipe as its author wrote it, with what comes out of it. */
export interface OutlineStep {
  /** `12 × encoderBlock`, `linear`. */
  readonly label: string
  /** Options that are not their defaults: `numHeads: 3`. */
  readonly detail: string
  readonly output: SignalShape
  readonly params: number
  /** Multiply-adds of one sample. */
  readonly macs: number
}

/**
 * A model as its author wrote it: one step a layer, `serial`s opened, blocks kept whole. For pictures and
 * short tables. Errors: those of `trace`.
 *
 * @example
 * outline(pipe(input(192), linear(10))) // Either<Problem, readonly OutlineStep[]>
 */
export const outline = (m: AnyModel): Either<Problem, readonly OutlineStep[]> => {
  const layers = m.layers.flatMap(opened)
  // Each step under a name of its own, by which its output, weights and work are found again.
  const traced = trace(model(m.input, layers.map((layer, i) => named(`step${i}`, layer))))
  if (traced._tag === 'Left') return traced
  const { features, parameters, layers: rows } = traced.right
  return right(
    layers.flatMap((layer, i) => {
      if (silent.has(layer.definition.kind)) return []
      const isIn = (path: string): boolean => path === `step${i}` || path.startsWith(`step${i}.`)
      const params = parameterCount(parameters.filter(p => isIn(p.attributes.name)))
      const macs = multiplyAdds(rows.filter(({ path }) => isIn(path)).flatMap(({ nodes }) => nodes)).total
      return [{ ...described(layer), output: shapeOfSignal(features.get(`step${i}`)!), params, macs }]
    }),
  )
}

/** Layers that change nothing and only check, or stand where others do not. */
const silent = new Set(['identity', 'expectShape', 'expectWindows'])

/** What a layer is made of, where it only puts others in a row. */
const opened = (layer: AnyLayer): readonly AnyLayer[] => {
  const { kind, args } = layer.definition
  if (kind === 'serial' || kind === 'stages') return (args as readonly AnyLayer[]).flatMap(opened)
  if (kind === 'when') return args[0] === true ? opened(args[1] as AnyLayer) : []
  if (kind === 'named' || kind === 'tap' || kind === 'frozen') return opened(args[1] as AnyLayer)
  if (kind === 'remat') return opened(args[0] as AnyLayer)
  if ((kind === 'dropout' || kind === 'tokenDropout') && args[0] === 0) return []
  return [layer]
}

const described = (layer: AnyLayer): { readonly label: string; readonly detail: string } => {
  const { kind, args } = layer.definition
  if (kind === 'repeat') {
    const [times, block] = args as readonly [number, AnyLayer | ((index: number) => AnyLayer)]
    const inner = described(isLayer(block) ? block : block(0))
    return times === 1 ? inner : { label: `${times} × ${inner.label}`, detail: inner.detail }
  }
  const parts = [...new Set(madeOf(layer))]
  return wrappers.has(kind) ? { label: parts.join(' + '), detail: '' } : { label: kind, detail: detail(args) }
}

/** Layers that are named after what they hold. */
const wrappers = new Set(['serial', 'residual', 'named', 'tap', 'frozen', 'remat', 'when', 'windows'])

/** The kinds of layer that do the work inside another. */
const madeOf = (layer: AnyLayer): readonly string[] => {
  const { kind, args } = layer.definition
  if (!wrappers.has(kind)) return /[nN]orm$|[dD]rop|layerScale|identity/.test(kind) ? [] : [kind]
  if (kind === 'when' && args[0] !== true) return []
  return args.filter(isLayer).flatMap(madeOf)
}

const detail = (args: readonly unknown[]): string =>
  args
    .flatMap(arg => (isLayer(arg) || typeof arg === 'function' ? [] : typeof arg === 'object' && arg !== null && !Array.isArray(arg) ? options(arg) : [String(arg)]))
    .join(', ')

const options = (config: object): readonly string[] =>
  Object.entries(config)
    .filter(([key, value]) => !isLayer(value) && shown.has(key))
    .map(([key, value]) => `${key}: ${String(value)}`)

/** The options that say what an architecture is; the rest would only be noise in a picture. */
const shown = new Set(['patchSize', 'stride', 'dim', 'kernelSize', 'numHeads', 'mlpRatio', 'kind', 'layerScale', 'prefixTokens', 'vocabularySize', 'groups'])
