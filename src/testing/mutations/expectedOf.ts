import { isLayer, type AnyLayer } from '../../layers/core/layer.js'
import type { AnyModel } from '../../layers/core/model.js'
import { agree } from '../../shape/agree.js'
import type { Shape, SignalShape } from '../../shape/shape.js'
import { signalOf } from '../arbitraries/shapeAfter.js'
import { fittedWindow, Misfit, shapeRules, type InWindow } from './shapeRules.js'

/** What should become of a model: its shape, or where it should be refused and with which code; nothing where the rules do not know one of its layers. */
export type Expected = { readonly shape: SignalShape } | { readonly code: string; readonly path: string } | undefined

/** What should become of a model by the rules of `shapeRules`, worked out without a look at any layer's own checks. */
export const expectedOf = (m: AnyModel): Expected => {
  const judge = new Judge()
  try {
    return { shape: m.layers.reduce((signal, layer) => judge.run(layer, signal, { parent: '', scope: undefined, window: undefined }), signalOf(m.input)) }
  } catch (end) {
    if (end instanceof Refused) return { code: end.code, path: end.path }
    if (end instanceof Unknown) return undefined
    throw end
  }
}

class Refused {
  constructor(readonly code: string, readonly path: string) {}
}
class Unknown {}

interface Spot {
  readonly parent: string
  /** The scope that the layer outside gives, which shows in paths; a layer's own does not. */
  readonly scope: string | undefined
  readonly window: InWindow
}

type Fields = Readonly<Record<string, SignalShape>>
const isRecord = (s: SignalShape): s is Fields => !Array.isArray(s) && !('integers' in s)
const join = (parent: string, name: string): string => [parent, name].filter(part => part !== '').join('.')

/** Layers that are another one with something more, in the same place. */
const transparent = ['tap', 'frozen', 'remat']

/** Layers that hold others, and what the judge knows of them. */
const combinators = ['serial', 'stages', 'named', 'when', 'residual', 'repeat', 'fanOut', 'parallel', 'merge', 'windows', ...transparent]

/** The layers that the rules know, by name. A layer that is not among them needs no rule: models with it are just not judged. */
export const judgedLayers: readonly string[] = [...Object.keys(shapeRules), ...combinators]

class Judge {
  private readonly counts = new Map<string, number>()

  run(layer: AnyLayer, signal: SignalShape, { parent, scope, window }: Spot): SignalShape {
    const { definition } = layer
    if (transparent.includes(definition.kind)) return this.run(definition.args.find(isLayer)!, signal, { parent, scope, window })
    const path = join(parent, scope ?? this.unique(parent, definition.scope))
    const place = scope === undefined ? parent : path
    const refuse = (code: string, leaf: string): never => {
      throw new Refused(code, place === '' ? leaf : `${place} › ${leaf}`)
    }
    const inner = (l: AnyLayer, s: SignalShape, name?: string, inside: InWindow = window): SignalShape => this.run(l, s, { parent: path, scope: name, window: inside })
    const rule = shapeRules[definition.kind]
    if (rule !== undefined) {
      const out = rule(signal, definition.config, window)
      if (out === undefined) throw new Unknown()
      return out instanceof Misfit ? refuse(out.code, out.leaf) : out
    }
    return this.combined(definition.kind, definition.args, definition.config, signal, inner, refuse)
  }

  private combined(kind: string, args: readonly unknown[], config: Readonly<Record<string, unknown>>, signal: SignalShape, inner: (l: AnyLayer, s: SignalShape, name?: string, inside?: InWindow) => SignalShape, refuse: (code: string, leaf: string) => never): SignalShape {
    const layers = args.filter(isLayer)
    const named = (args[0] ?? {}) as Readonly<Record<string, AnyLayer>>
    switch (kind) {
      case 'serial':
        return layers.reduce((s, l) => inner(l, s), signal)
      case 'stages':
        return layers.reduce((s, l, i) => inner(l, s, String(i)), signal)
      case 'named':
        return inner(layers[0]!, signal, args[0] as string)
      case 'when':
        return args[0] === true ? inner(layers[0]!, signal) : signal
      case 'residual': {
        if (!Array.isArray(signal)) return refuse('expectsTensor', 'residual')
        const branch = inner(layers[0]!, signal)
        const kept = layers[1] === undefined ? signal : inner(layers[1], signal)
        if (Array.isArray(branch) && agree(branch, kept)) return branch
        return agree(kept, signal) ? refuse('residualMisfit', 'residual') : refuse('shortcutMisfit', 'residual')
      }
      case 'repeat': {
        const [times, block] = args as readonly [number, AnyLayer | ((index: number) => AnyLayer)]
        if (!(times >= 1)) return refuse('notASize', 'repeat')
        let s = signal
        for (let i = 0; i < times; i++) {
          const next = inner(isLayer(block) ? block : block(i), s, String((config['first'] as number) + i))
          if (!agree(s, next)) return refuse('repeatMisfit', 'repeat')
          s = next
        }
        return s
      }
      case 'fanOut':
        return Object.fromEntries(Object.entries(named).map(([name, l]) => [name, inner(l, signal, name)]))
      case 'parallel': {
        if (!isRecord(signal)) return refuse('expectsRecord', 'parallel')
        if (Object.keys(named).some(name => !(name in signal))) return refuse('noSuchField', 'parallel')
        return Object.fromEntries(Object.entries(signal).map(([name, s]) => [name, named[name] === undefined ? s : inner(named[name], s, name)]))
      }
      case 'merge':
        return merged(signal, config['how'] as string, refuse)
      case 'windows':
        return inWindows(signal, config, (s, inside) => inner(layers[0]!, s, undefined, inside), refuse)
      default:
        throw new Unknown()
    }
  }

  /** A second scope of one name in one place is `blocks_1`. */
  private unique(parent: string, scope: string): string {
    if (scope === '') return ''
    const key = join(parent, scope)
    const count = this.counts.get(key) ?? 0
    this.counts.set(key, count + 1)
    return count === 0 ? scope : `${scope}_${count}`
  }
}

const merged = (signal: SignalShape, how: string, refuse: (code: string, leaf: string) => never): SignalShape => {
  if (!isRecord(signal)) return refuse('expectsRecord', 'merge')
  const fields = Object.keys(signal).sort().map(name => signal[name]!)
  if (fields.length === 0) return refuse('nothingToMerge', 'merge')
  const [first] = fields as [Shape]
  if (!Array.isArray(first)) return refuse('mergeExpectsTensors', 'merge')
  for (const field of fields.slice(1)) {
    if (!Array.isArray(field)) return refuse('mergeExpectsTensors', 'merge')
    const alike = how === 'concat' ? first.length > 0 && field.length === first.length && first.slice(0, -1).every((size, i) => size === field[i]) : agree(first, field)
    if (!alike) return refuse('mergeMisfit', 'merge')
  }
  return how === 'concat' && fields.length > 1 ? [...first.slice(0, -1), fields.reduce((sum, field) => sum + (field as Shape).at(-1)!, 0)] : first
}

const inWindows = (signal: SignalShape, config: Readonly<Record<string, unknown>>, block: (s: Shape, inside: InWindow) => SignalShape, refuse: (code: string, leaf: string) => never): SignalShape => {
  const pair = (value: unknown): readonly [number, number] => (Array.isArray(value) ? (value as [number, number]) : [value as number, value as number])
  const [window, shift] = [pair(config['windowSize']), pair(config['shift'])]
  if (shift.some((by, i) => by >= window[i]! || (config['dilated'] === true && by > 0))) return refuse('notAShift', 'windows')
  if (!Array.isArray(signal) || signal.length !== 3) return refuse('expectsImage', 'windows')
  const [height, width] = signal as Shape as readonly [number, number, number]
  const sides = fittedWindow([height, width], window, config['clamp'])
  if (config['padding'] !== true && (height % sides[0] !== 0 || width % sides[1] !== 0)) return refuse('windowsDoNotFit', 'windows')
  // A window that covers an axis is not shifted along it; with `both`, along neither.
  const covers = [window[0] >= height, window[1] >= width]
  const isShifted = shift.some((by, i) => by > 0 && (config['clamp'] === 'never' || !(config['clamp'] === 'both' ? covers.includes(true) : covers[i])))
  const out = block([sides[0] * sides[1], signal[2]!], { tokens: sides[0] * sides[1], isShifted })
  return Array.isArray(out) && out.length === 2 && out[0] === sides[0] * sides[1] ? [height, width, out[1]!] : refuse('windowsChange', 'windows')
}
