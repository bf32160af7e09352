import { type Shape, type SignalShape } from '../../shape/shape.js'

/** That a layer does not fit: the code, and the word its sentence begins with. */
export class Misfit {
  constructor(readonly code: string, readonly leaf: string) {}
}

/** The window that a layer runs in: how many tokens it has, and whether it is shifted, so that attention in it is masked. */
export type InWindow = { readonly tokens: number; readonly isShifted: boolean } | undefined

/** What a layer makes of a shape, or why not; nothing where the rules do not say. */
export type Rule = (signal: SignalShape, options: Readonly<Record<string, unknown>>, window: InWindow) => SignalShape | Misfit | undefined

/*
 * What layers do to shapes, once more: in plain arithmetic on sizes and options, read off the layers' documentation
 * and nowhere off their code. It is the judge of what mutants should do, so it must not share a fault with the checks.
 */

type Options = Readonly<Record<string, unknown>>
const isTensor = (s: SignalShape): s is Shape => Array.isArray(s)
const number = (o: Options, name: string): number => o[name] as number
const both = (value: unknown): readonly [number, number] => (Array.isArray(value) ? (value as [number, number]) : [value as number, value as number])
const isSize = (n: unknown): boolean => Number.isInteger(n) && (n as number) >= 1

const tensor = (leaf: string): Rule => s => (isTensor(s) ? s : new Misfit('expectsTensor', leaf))
const channels = (leaf: string, then: (s: Shape, o: Options) => SignalShape | Misfit | undefined): Rule => (s, o) => (isTensor(s) && s.length > 0 ? then(s, o) : new Misfit('expectsChannels', leaf))
const tokens = (leaf: string, then: (s: readonly [number, number], o: Options, w: InWindow) => SignalShape | Misfit | undefined): Rule => (s, o, w) =>
  isTensor(s) && s.length === 2 ? then(s as never, o, w) : new Misfit('expectsTokens', leaf)
const image = (leaf: string, then: (s: readonly [number, number, number], o: Options) => SignalShape | Misfit | undefined): Rule => (s, o) =>
  isTensor(s) && s.length === 3 ? then(s as never, o) : new Misfit('expectsImage', leaf)

const kept = (leaf: string): Rule => channels(leaf, s => s)
const keptTokens = (leaf: string): Rule => tokens(leaf, (s, o) => (number(o, 'prefixTokens') < s[0] ? s : new Misfit('prefixTooLong', leaf)))
const prepended = (leaf: string): Rule => tokens(leaf, ([n, c], o) => [n + number(o, 'count'), c])

/** A rule of a layer whose `dim`, where it is given, is a size. */
const sized = (leaf: string, rule: Rule): Rule => (s, o, w) => (o['dim'] === undefined || isSize(o['dim']) ? rule(s, o, w) : new Misfit('notASize', leaf))

/** The places of a window that moves over an axis; 0 where it does not fit. */
const places = (size: number, kernel: number, stride: number, padding: unknown): number => {
  if (padding === 'same') return Math.ceil(size / stride)
  const room = size + 2 * (padding as number) - kernel
  return room < 0 ? 0 : Math.floor(room / stride) + 1
}
const moved = ([h, w]: readonly number[], kernel: number, o: Options, dim: number): readonly number[] | undefined => {
  const [rows, columns] = [h!, w!].map(size => places(size, kernel, number(o, 'stride'), o['padding'])) as [number, number]
  return rows > 0 && columns > 0 ? [rows, columns, dim] : undefined
}

const convolution = sized('conv2d', image('conv2d', ([h, w, c], o) => {
  const out = moved([h, w], number(o, 'kernelSize'), o, number(o, 'dim'))
  if (out === undefined) return new Misfit('kernelDoesNotFit', 'conv2d')
  return c % number(o, 'groups') === 0 && number(o, 'dim') % number(o, 'groups') === 0 ? out : new Misfit('groupsDoNotSplit', 'conv2d')
}))
const pool = (leaf: string): Rule => (s, o) => {
  const { size, padding } = o as { size: number; padding: number | 'same' }
  if (padding !== 'same' && 2 * padding > size) return new Misfit('notAPadding', leaf)
  return image(leaf, ([h, w, c]) => moved([h, w], size, o, c) ?? new Misfit('windowDoesNotFit', leaf))(s, o, undefined)
}

/** The window that a map gets: one that is larger becomes the map, along each side or, with `both`, the square of the shorter one. */
export const fittedWindow = ([height, width]: readonly [number, number], window: readonly [number, number], clamp: unknown): readonly [number, number] => {
  const isLarger = window[0] > height || window[1] > width
  if (clamp === 'never' || !isLarger) return window
  return clamp === 'both' ? [Math.min(height, width), Math.min(height, width)] : [Math.min(height, window[0]), Math.min(width, window[1])]
}

/** Half of a size: up, unless 2×2 places stand side by side with nothing around. */
const half = (size: number, pooling: unknown, padding: unknown): number => (padding === 'same' || pooling === 'average3' || pooling === 'max3' ? Math.ceil(size / 2) : Math.floor(size / 2))

const heads = (s: readonly [number, number], o: Options): Misfit | undefined => (o['headDim'] !== undefined || s[1] % number(o, 'numHeads') === 0 ? undefined : new Misfit('headsDoNotSplit', 'attention'))

const positions: Rule = (s, o) => {
  const leaf = 'positionEmbed'
  if (!isTensor(s) || (s.length !== 2 && s.length !== 3)) return new Misfit('expectsTokens', leaf)
  const { kind, grid, numTokens } = o as { kind: string; grid?: readonly [number, number]; numTokens?: number }
  if (s.length === 2 && numTokens !== undefined && numTokens !== s[0]) return new Misfit('tokensDiffer', leaf)
  if (s.at(-1)! % ({ sinCos2d: 4, sinCos: 2, learned2d: 2 }[kind] ?? 1) !== 0) return new Misfit('positionsDoNotSplit', leaf)
  if (kind !== 'learned2d' && kind !== 'sinCos2d') return s
  if (s.length === 3) return grid === undefined || (grid[0] === s[0] && grid[1] === s[1]) ? s : new Misfit('gridMisfit', leaf)
  const side = Math.floor(Math.sqrt(s[0]!))
  const rest = s[0]! - (grid === undefined ? side * side : grid[0] * grid[1])
  return rest < 0 ? new Misfit('gridMisfit', leaf) : grid === undefined && rest > 8 ? new Misfit('gridUnknown', leaf) : s
}

const patches = sized('patchEmbed', image('patchEmbed', ([h, w], o) => {
  const [patch, stride] = [both(o['patchSize']), both(o['stride'])]
  for (const i of [0, 1] as const) {
    if ([h, w][i]! < patch[i]) return new Misfit('patchTooLarge', 'patchEmbed')
    if (([h, w][i]! - patch[i]) % stride[i] !== 0) return new Misfit('patchesDoNotFit', 'patchEmbed')
  }
  return [(h - patch[0]) / stride[0] + 1, (w - patch[1]) / stride[1] + 1, number(o, 'dim')]
}))

const halved = ([h, w]: readonly number[], pooling: unknown, padding: unknown, dim: number): Shape => [half(h!, pooling, padding), half(w!, pooling, padding), dim]

const bottleneck = sized('mbConv', (s, o) => {
  // How inner channels are rounded is the layer's own business.
  if (number(o, 'groupSize') > 1) return undefined
  if (o['padding'] !== 'same' && number(o, 'kernelSize') % 2 === 0) return new Misfit('evenKernel', 'mbConv')
  return image('mbConv', ([h, w, c]) => {
    if (o['stride'] === 1) return c === o['dim'] ? [h, w, c] : new Misfit('shortcutMisfit', 'mbConv')
    const shortcut = halved([h, w], o['pool'], o['padding'], number(o, 'dim'))
    const branch = o['strideMode'] === 'pool' ? halved([h, w], o['branchPool'], o['padding'], number(o, 'dim')) : halved([h, w], 'max3', 'same', number(o, 'dim'))
    if (shortcut.join() !== branch.join()) return new Misfit('shortcutMisfit', 'mbConv')
    return shortcut.includes(0) ? new Misfit('mapDoesNotHalve', 'mbConv') : shortcut
  })(s, o, undefined)
})

const mapAttention = (kind: 'relativeAttention2d' | 'transformerBlock2d'): Rule => {
  const leaf = kind === 'transformerBlock2d' ? kind : 'attention'
  return sized(leaf, image(leaf, ([h, w, c], o) => {
    const dim = (o['dim'] as number | undefined) ?? c
    if ((o['expandFirst'] === true ? dim : c) % number(o, 'headDim') !== 0) return new Misfit('headDimDoesNotSplit', 'attention')
    if (kind === 'relativeAttention2d') return [h, w, dim]
    if (Math.floor(dim * number(o, 'mlpRatio')) < 1) return undefined
    if (o['stride'] === 1) return c === dim ? [h, w, dim] : new Misfit('shortcutMisfit', kind)
    const odd = o['pool'] === 'average2' || o['pool'] === 'max2' ? h % 2 === 1 || w % 2 === 1 : false
    return odd ? undefined : halved([h, w], o['pool'], 'symmetric', dim)
  }))
}

const windowAttention: Rule = tokens('attention', (s, o, w) => {
  const wrong = heads(s, o)
  if (wrong !== undefined) return wrong
  const given = o['windowSize'] === undefined ? undefined : both(o['windowSize'])
  if (given !== undefined) return given[0] * given[1] === s[0] ? s : new Misfit('windowDiffers', 'attention')
  if (w !== undefined) return w.tokens === s[0] ? s : new Misfit('notTheWindow', 'attention')
  return Number.isInteger(Math.sqrt(s[0])) ? s : new Misfit('windowUnknown', 'attention')
})

/** Layers that hold no others, by name. */
export const shapeRules: Readonly<Record<string, Rule>> = {
  absolutePositionEmbed: image('absolutePositionEmbed', s => s),
  attentionDropout: s => (isTensor(s) && s.length === 3 ? s : new Misfit('expectsWeights', 'attentionDropout')),
  averagePool: pool('averagePool'),
  batchNorm: kept('batchNorm'),
  classToken: prepended('classToken'),
  conv2d: convolution,
  depthwiseConv2d: image('depthwiseConv2d', ([h, w, c], o) => {
    const out = moved([h, w], number(o, 'kernelSize'), o, c)
    if (out === undefined) return new Misfit('depthwiseKernelDoesNotFit', 'depthwiseConv2d')
    return c % number(o, 'groupSize') === 0 ? out : new Misfit('groupSizeDoesNotSplit', 'depthwiseConv2d')
  }),
  distillationToken: prepended('distillationToken'),
  downsample2d: sized('downsample2d', image('downsample2d', ([h, w, c], o) => {
    const out = halved([h, w], o['pool'], o['padding'], (o['dim'] as number | undefined) ?? c)
    return out.includes(0) ? new Misfit('mapDoesNotHalve', 'downsample2d') : out
  })),
  dropPath: tensor('dropPath'),
  dropout: tensor('dropout'),
  embedding: sized('embedding', (s, o) => ('integers' in s ? [...(s.integers as Shape), number(o, 'dim')] : new Misfit('expectsIntegers', 'embedding'))),
  // What its inner layers refuse is for rules of their own.
  encoderBlock: tokens('attention', (s, o, w) => heads(s, o) ?? (Math.floor(s[1] * number(o, 'mlpRatio')) < 1 || (w?.isShifted === true && w.tokens !== s[0]) ? undefined : s)),
  expectShape: (s, o) => (isTensor(s) && s.join() === (o['shape'] as Shape).join() && s.length === (o['shape'] as Shape).length ? s : new Misfit('expectsShape', 'expectShape')),
  expectWindows: image('expectWindows', (s, o) => {
    const [height, width] = fittedWindow([s[0], s[1]], both(o['windowSize']), o['clamp'])
    return s[0] % height === 0 && s[1] % width === 0 ? s : new Misfit('stageDoesNotDivide', 'stage')
  }),
  flattenTokens: image('flattenTokens', ([h, w, c]) => [h * w, c]),
  gatedPositionalAttention: tokens('attention', (s, o) => {
    const grid = o['grid'] as readonly [number, number] | undefined
    if (grid === undefined) return heads(s, o) ?? (Number.isInteger(Math.sqrt(s[0])) ? s : new Misfit('noSquareGrid', 'gatedPositionalAttention'))
    return heads(s, o) ?? (grid[0] * grid[1] === s[0] ? s : new Misfit('gridDoesNotHold', 'gatedPositionalAttention'))
  }),
  gelu: tensor('gelu'),
  globalPool: (s, o) => {
    if (!isTensor(s) || (s.length !== 2 && s.length !== 3)) return new Misfit('expectsTokens', 'globalPool')
    return s.length === 2 && number(o, 'prefixTokens') >= s[0]! ? new Misfit('prefixTooLong', 'globalPool') : [s.at(-1)!]
  },
  groupNorm: channels('groupNorm', (s, o) => (s.at(-1)! % number(o, 'numGroups') === 0 ? s : new Misfit('normGroupsDoNotSplit', 'groupNorm'))),
  identity: s => s,
  layerNorm: kept('layerNorm'),
  layerScale: kept('layerScale'),
  linear: sized('linear', channels('linear', (s, o) => [...s.slice(0, -1), number(o, 'dim')])),
  maxPool: pool('maxPool'),
  mbConv: bottleneck,
  mlp: channels('mlp', (s, o) => (isSize(o['hiddenDim'] ?? Math.floor(s.at(-1)! * number(o, 'mlpRatio'))) ? s : new Misfit('notASize', 'mlp'))),
  patchEmbed: patches,
  patchMerging: sized('patchMerging', image('patchMerging', ([h, w, c], o) => {
    if (o['padding'] !== true && (h % 2 === 1 || w % 2 === 1)) return new Misfit('patchesDoNotMerge', 'patchMerging')
    return [Math.ceil(h / 2), Math.ceil(w / 2), (o['dim'] as number | undefined) ?? 2 * c]
  })),
  positionEmbed: positions,
  registerTokens: prepended('registerTokens'),
  relativeAttention2d: mapAttention('relativeAttention2d'),
  relu: tensor('relu'),
  resize: image('resize', ([, , c], o) => [...both(o['size']), c]),
  rmsNorm: kept('rmsNorm'),
  scale: tensor('scale'),
  selfAttention: tokens('attention', (s, o, w) => heads(s, o) ?? (w?.isShifted === true && w.tokens !== s[0] ? new Misfit('notTheWindow', 'attention') : s)),
  silu: tensor('silu'),
  firstTokens: tokens('firstTokens', ([n, c], o) => (number(o, 'count') <= n ? [number(o, 'count'), c] : new Misfit('tooFewTokens', 'firstTokens'))),
  skipTokens: tokens('skipTokens', ([n, c], o) => (number(o, 'count') < n ? [n - number(o, 'count'), c] : new Misfit('prefixTooLong', 'skipTokens'))),
  softmax: kept('softmax'),
  squeezeExcite: image('squeezeExcite', (s, o) => (isSize(o['hiddenDim'] ?? Math.floor(s[2] * number(o, 'ratio'))) ? s : new Misfit('notASize', 'squeezeExcite'))),
  stdConv2d: convolution,
  takeToken: tokens('takeToken', ([n, c], o) => (number(o, 'index') < n ? [c] : new Misfit('noSuchToken', 'takeToken'))),
  tanh: tensor('tanh'),
  tokenDropout: keptTokens('tokenDropout'),
  transpose: tokens('transpose', ([n, c]) => [c, n]),
  tokenScores: tokens('tokenScores', ([n, c]) => (c % 2 === 1 ? new Misfit('channelsDoNotHalve', 'tokenScores') : c < 4 ? new Misfit('notASize', 'tokenScores') : [n, 2])),
  transformerBlock2d: mapAttention('transformerBlock2d'),
  windowAttention,
}
