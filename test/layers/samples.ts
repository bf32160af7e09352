import { isRight, left, right } from 'fp-ts/lib/Either.js'
import * as vitrail from '../../src/index.js'
import { model } from '../../src/layers/core/model.js'
import * as listing from '../../src/layers/index.js'
import { examplesOf, sources } from '../conventions/sources.js'

/** A layer with something to apply it to. */
export interface Sample {
  readonly name: string
  readonly text: string
  /** What it is applied to, as a model. */
  readonly before: vitrail.Model<unknown, unknown>
  readonly layer: vitrail.AnyLayer
}

/** What is applied to what, beside the example in each layer's doc comment: its other options, and layers that its example only nests. */
const more: Readonly<Record<string, readonly (readonly [input: string, layer: string])[]>> = {
  attentionDropout: [['input(2, 5, 5)', 'attentionDropout(0.5)']],
  averagePool: [['input(7, 6, 3)', 'averagePool({ size: 3, stride: 2, padding: 1, countPadding: false })']],
  conv2d: [['input(9, 8, 4)', 'conv2d({ dim: 6, kernelSize: 3, stride: 2, padding: 1, groups: 2, bias: false })']],
  dropPath: [['input(5, 8)', 'dropPath(0.3)'], ['input(5, 8)', 'dropPath(0)']],
  dropout: [['input(5, 8)', 'dropout(0.3)'], ['input(8)', 'dropout(0)']],
  encoderBlock: [
    ['input(5, 8)', 'encoderBlock({ numHeads: 2 })'], ['input(5, 8)', 'encoderBlock({ numHeads: 3, headDim: 4, causal: true })'],
    ['input(5, 8)', "encoderBlock({ numHeads: 4, mlpRatio: 2, qkvBias: false, projBias: false, qkNorm: true, activation: 'silu', normPlacement: 'post', norm: 'rmsNorm', layerScale: 0.1, branchDivisor: 2, dropout: 0.1, attentionDropout: 0.2, dropPath: 0.3 })"],
  ],
  decideTokens: [['input(5, 8)', "decideTokens('kept', linear(2), encoderBlock({ numHeads: 2, attentionDropout: 0.1 }), { prefixTokens: 0, temperature: 0.5 })"], ['input(5, 8)', "decideTokens('kept', tokenScores(), selfAttention({ numHeads: 2 }))"]],
  classToken: [['input(5, 8)', "classToken({ vector: 'class_embedding' })"]],
  cosineHead: [['input(5, 8)', 'cosineHead(3, { initialScale: 10 })']],
  crossAttention: [['inputs({ x: input(5, 8), memory: input(3, 8) })', 'crossAttention({ numHeads: 2 })'], ['inputs({ memory: input(1, 4), x: input(5, 4) })', 'crossAttention({ numHeads: 1, bias: false, scale: 0.3 })'], ['inputs({ x: input(2, 4), memory: input(3, 4), keys: input(3, 4) })', 'crossAttention({ numHeads: 2 })'], ['inputs({ x: input(2, 4), memory: input(3, 4) })', "crossAttention({ numHeads: 2, naming: 'q,kv' })"], ['inputs({ x: input(2, 4), memory: input(3, 4), keys: input(3, 4) })', "crossAttention({ numHeads: 1, naming: 'q,k,v', bias: false })"], ['inputs({ x: input(3, 2, 4), memory: input(1, 2, 4) })', "crossAttention({ numHeads: 2, naming: 'q,k,v' })"], ['inputs({ x: input(2, 4), memory: input(1, 3, 4), keys: input(3, 4) })', 'crossAttention({ numHeads: 2 })']],
  decoderBlock: [
    ['inputs({ x: input(3, 8), memory: input(5, 8) })', "decoderBlock({ numHeads: 2, normPlacement: 'post', activation: 'relu', hiddenDim: 3, epsilon: 1e-5, dropout: 0.2 })"],
    ['inputs({ x: input(3, 8), memory: input(5, 8), positions: input(3, 8), memoryPositions: input(5, 8) })', 'decoderBlock({ numHeads: 4, mlpRatio: 1 })'],
  ],
  depthwiseConv2d: [['input(9, 8, 4)', "depthwiseConv2d({ kernelSize: 4, stride: 2, padding: 'same', groupSize: 2, bias: false })"]],
  downsample2d: [['input(5, 4, 3)', 'downsample2d()'], ['input(5, 4, 3)', "downsample2d({ dim: 3, pool: 'average3', padding: 'same', bias: false })"]],
  fakeQuantise: [['input(5, 3)', 'fakeQuantise({ scale: [0.1, 0.5, 0.01], range: [-8, 7] })'], ['input(3, 5)', 'fakeQuantise({ scale: [0.1, 0.5, 0.01], axis: 0, zeroPoint: [3, 0, 15], range: [0, 15] })']],
  expose: [
    ['input(5, 8)', "expose(serial(named('a', linear(3)), gelu()), { first: 'a', whole: '' })"],
    ['input(4, 4, 8)', "expose(windows({ windowSize: 2 }, repeat(2, encoderBlock({ numHeads: 2 }))), { whole: '' })"],
  ],
  featurePyramid: [["inputs({ c: input(2, 2, 3), a: input(5, 6, 1), b: input(3, 3, 2) })", "featurePyramid({ dim: 4, kind: 'bilinear' })"]],
  joinLevels: [["inputs({ c: input(2, 2, 3), a: input(5, 6, 1) })", "joinLevels({ kind: 'nearest' })"], ['inputs({ only: input(2, 2, 3) })', 'joinLevels()']],
  joinTokens: [['inputs({ b: input(5, 8), a: input(2, 8), c: input(1, 8) })', 'joinTokens()'], ['inputs({ only: input(2, 3) })', 'joinTokens()']],
  transpose: [['input(5, 8)', 'transpose()']],
  fanOut: [['input(5, 8)', 'fanOut({ a: linear(3), b: identity(), c: fanOut({ d: gelu() }) })'], ['input(5, 8)', 'fanOut({ a: unnamed(linear(3)), b: unnamed(linear(3)) })']],
  field: [['inputs({ a: input(5, 8), b: integerInput(3) })', "field('b')"]],
  firstTokens: [['input(5, 8)', 'firstTokens(5)']],
  fold: [['input(3, 3, 18)', 'fold({ imageSize: [5, 6], size: 3, stride: 2, padding: 1 })']],
  frozen: [['input(5, 8)', "frozen({ paths: '** !weight', statistics: 'keep' }, linear(4))"], ['input(5, 8)', 'frozen({}, batchNorm())']],
  gelu: [['input(3)', "gelu({ form: 'tanh' })"], ['input(3)', "gelu({ form: 'quick' })"]],
  globalPool: [['input(5, 8)', "globalPool({ kind: 'max' })"], ['input(4, 3, 8)', "globalPool({ kind: 'averageMax' })"]],
  gatedPositionalAttention: [['input(6, 8)', 'gatedPositionalAttention({ numHeads: 2, grid: [2, 3], qkvBias: true, localityStrength: 2, attentionDropout: 0.1, projDropout: 0.2 })']],
  hideTokens: [['input(5, 8)', 'hideTokens(0.3)']],
  groupNorm: [['input(5, 8)', "groupNorm({ numGroups: 4, epsilon: 1e-6, activation: 'relu' })"], ['input(8)', 'groupNorm({ numGroups: 1 })']],
  keepTokens: [['input(5, 8)', "keepTokens(2, linear(1), { prefixTokens: 0, indices: 'best' })"], ['input(5, 8)', 'keepTokens(4, tokenScores())']],
  layerNorm: [['input(8)', 'layerNorm({ affine: false })']],
  linear: [['input(4, 3, 8)', 'linear(5, { bias: false })'], ['input(4, 3, 8)', 'linear(5, { asProduct: true })']],
  mbConv: [
    ['input(4, 5, 8)', 'mbConv({ dim: 8, dropPath: 0.2 })'],
    ['input(5, 4, 8)', "mbConv({ dim: 12, stride: 2, expansion: 2, expandFrom: 'input', kernelSize: 5, groupSize: 4, strideMode: 'pool', pool: 'max3', branchPool: 'average3', preActivation: true, activation: 'silu', excite: 'early', exciteRatio: 0.5, exciteActivation: 'relu', norm: 'layerNorm', epsilon: 1e-3, outputBias: false })"],
    ['input(5, 4, 8)', "mbConv({ dim: 6, stride: 2, strideMode: 'pointwise', padding: 'same', groupSize: 0, excite: 'none' })"],
  ],
  maxPool: [['input(7, 6, 3)', 'maxPool({ size: 2 })']],
  maskTokens: [['inputs({ x: input(5, 4), noise: input(5) })', 'maskTokens({ maskRatio: 0.3 })'], ['inputs({ noise: input(6), x: input(8, 3), more: input(2) })', 'maskTokens({ maskRatio: 0.5, prefixTokens: 2 })']],
  mixTokens: [['inputs({ x: input(3, 4, 8), inside: input(3, 4) })', 'mixTokens(linear(4))']],
  mlp: [['input(5, 8)', "mlp({ hiddenDim: 3, activation: 'quickGelu', bias: false, dropout: 0.2 })"]],
  merge: [
    ['inputs({ a: input(3), b: input(3) })', "merge('add')"], ['inputs({ a: input(3), b: input(3) })', "merge('multiply')"],
    ['inputs({ b: input(2, 3), a: input(2, 4), c: input(2, 1) })', "merge('concat')"], ['inputs({ only: input(3) })', "merge('average')"],
  ],
  parallel: [['inputs({ a: input(3), b: integerInput(4) })', 'parallel({ b: embedding({ vocabularySize: 9, dim: 2 }) })'], ['inputs({ a: input(5, 8) })', "parallel({ a: unnamed(named('part', linear(4))) })"]],
  patchEmbed: [['input(8, 12, 3)', 'patchEmbed({ patchSize: [4, 6], stride: [2, 3], dim: 5, bias: false })']],
  positionEmbed: [
    ['input(10, 8)', "positionEmbed({ kind: 'learned2d' })"], ['input(3, 4, 8)', "positionEmbed({ kind: 'learned2d' })"], ['input(13, 8)', "positionEmbed({ kind: 'sinCos2d', grid: [3, 4] })"],
    ['input(5, 8)', "positionEmbed({ kind: 'sinCos' })"], ['input(5, 8)', "positionEmbed({ kind: 'none', numTokens: 5 })"], ['input(3, 4, 8)', 'positionEmbed()'],
    ['input(13, 8)', "positionEmbed({ kind: 'sinCos2d', grid: [3, 4], stored: 'pos_embed' })"], ['input(5, 8)', "positionEmbed({ table: 'positional_embedding' })"],
  ],
  performerAttention: [['input(5, 8)', 'performerAttention({ dim: 6, numFeatures: 2, epsilon: 0.1, projDropout: 0.2 })'], ['input(2, 3, 8)', 'performerAttention({ dim: 4 })']],
  projection: [['input(5, 8)', "projection({ dim: 3, parameter: 'text_projection' })"]],
  relativeAttention2d: [
    ['input(2, 3, 8)', "relativeAttention2d({ dim: 12, headDim: 4, expandFirst: false, bias: false, positions: 'mlp', positionDim: 5, attentionDropout: 0.1, projDropout: 0.2 })"],
    ['input(2, 3, 8)', "relativeAttention2d({ headDim: 2, positions: 'grid' })"], ['input(2, 3, 8)', "relativeAttention2d({ headDim: 8, positions: 'none', attentionDropout: 0.1 })"],
  ],
  relativeTokenAttention: [
    ['input(7, 8)', "relativeTokenAttention({ numHeads: 2, headDim: 3, maxDistance: 1, qkvBias: false, gain: 2, scale: 0.3, columns: 2, attentionDropout: 0.1, projDropout: 0.2 })"],
    ['input(5, 8)', "relativeTokenAttention({ numHeads: 3, headDim: 2, packing: 'blocks', positions: 'none' })"], ['input(5, 8)', "relativeTokenAttention({ numHeads: 1, headDim: 2, positions: 'none', attentionDropout: 0.1 })"],
  ],
  remat: [['input(5, 8)', 'remat(linear(4))'], ['input(5, 8)', 'remat(encoderBlock({ numHeads: 2, dropPath: 0.1 }))']],
  repeat: [['input(5, 8)', 'repeat(3, index => serial(linear(8), dropout(index / 10)))'], ['inputs({ a: input(3), b: integerInput(4) })', 'repeat(2, parallel({ a: linear(3) }))'], ['input(5, 8)', 'repeat(2, linear(8), { first: 3 })']],
  residual: [['input(5, 8)', 'residual(linear(8))'], ['input(5, 8)', "residual(linear(4), named('downsample', linear(4)))"]],
  resize: [['input(5, 6, 2)', "resize([3, 6], { kind: 'bicubic', antialias: true })"], ['input(5, 6, 2)', "resize([7, 4], { kind: 'nearest' })"]],
  queryTokens: [['input(5, 8)', "queryTokens(3, { kind: 'positions' })"]],
  rmsNorm: [['input(5, 8)', 'rmsNorm({ affine: false })']],
  scale: [['input(5, 8)', 'scale(-2)']],
  selfAttention: [['input(5, 8)', 'selfAttention({ numHeads: 2, qkvBias: false, projBias: false, qkNorm: true, scale: 0.3, attentionDropout: 0.1, projDropout: 0.2 })'], ['input(5, 8)', "selfAttention({ numHeads: 2, causal: true, naming: 'torch' })"], ['input(5, 8)', 'selfAttention({ numHeads: 3, headDim: 2, attentionDropout: 0.1 })'], ['input(5, 8)', 'selfAttention({ numHeads: 4, causal: true, attentionDropout: 0.1 })']],
  similarityScale: [['inputs({ image_features: input(6), text_features: input(6) })', "similarityScale({ learned: 'temperature' })"]],
  skipTokens: [['input(5, 8)', 'skipTokens(0)']],
  stdConv2d: [['input(9, 8, 4)', 'stdConv2d({ dim: 6, kernelSize: 3, padding: 1, groups: 2, bias: true, epsilon: 1e-8 })']],
  squeezeExcite: [['input(4, 3, 8)', "squeezeExcite({ hiddenDim: 3, activation: 'silu' })"]],
  stages: [['input(5, 8)', 'stages(linear(4), serial(gelu(), linear(2)))']],
  subnetwork: [['input(5, 8)', 'subnetwork(serial(linear(6), linear(3)), { a: serial(linear(2), linear(3)), b: linear(4) })'], ['input(5, 8)', 'subnetwork(subnetwork(linear(6), linear(5)), linear(4))']],
  tap: [['input(5, 8)', "tap('seen', linear(4))"]],
  tokenAttention: [['input(5, 8)', 'tokenAttention({ dim: 6, qkvBias: true, scale: 0.3, projDropout: 0.2 })'], ['input(2, 3, 8)', 'tokenAttention({ dim: 4 })']],
  tokensToMap: [['input(7, 8)', 'tokensToMap({ prefixTokens: 1, grid: [2, 3] })']],
  upsample: [['input(3, 4, 2)', "upsample(2, { kind: 'nearest' })"], ['input(3, 4, 2)', "upsample(3, { kind: 'bicubic' })"]],
  tokenScores: [['input(5, 8)', 'tokenScores({ epsilon: 1e-3 })']],
  tokenDropout: [['input(5, 8)', 'tokenDropout(0.5, { prefixTokens: 2 })'], ['input(5, 8)', 'tokenDropout(0.5)']],
  transformerBlock2d: [
    ['input(2, 3, 8)', 'transformerBlock2d({ dim: 8, headDim: 4 })'],
    ['input(5, 4, 8)', "transformerBlock2d({ dim: 12, stride: 2, headDim: 4, expandFirst: false, pool: 'max3', shortcutBias: false, attentionBias: false, mlpRatio: 1.5, positions: 'mlp', positionDim: 5, layerScale: 0.1, activation: 'relu', norm: 'batchNorm', epsilon: 1e-3, dropout: 0.1, attentionDropout: 0.2, dropPath: 0.3 })"],
  ],
  unfold: [['input(5, 6, 2)', 'unfold({ size: 3, stride: 2, padding: 1 })']],
  unmaskTokens: [['inputs({ x: input(4, 8), ids_restore: integerInput(6) })', 'unmaskTokens()'], ['inputs({ x: input(8, 3), ids_restore: integerInput(6) })', 'unmaskTokens({ prefixTokens: 2 })']],
  unnamed: [['input(5, 8)', 'unnamed(linear(3))']],
  when: [['input(5, 8)', 'when(false, linear(4))']],
  absolutePositionEmbed: [['input(3, 4, 8)', 'absolutePositionEmbed()']],
  expectWindows: [['input(4, 6, 8)', "expectWindows({ stage: 2, stages: 3, windowSize: [2, 3], patchSize: 4, clamp: 'both' })"]],
  patchMerging: [['input(4, 6, 8)', 'patchMerging({ dim: 5, epsilon: 0.1 })'], ['input(5, 7, 8)', 'patchMerging({ padding: true })']],
  windowAttention: [
    ['input(6, 8)', 'windowAttention({ numHeads: 2, windowSize: [2, 3], qkvBias: false, scale: 0.3, attentionDropout: 0.1, projDropout: 0.2 })'],
    ['input(9, 8)', 'windowAttention({ numHeads: 3, headDim: 5 })'],
  ],
  windows: [
    ['input(4, 6, 8)', 'windows({ windowSize: [2, 3], dilated: true }, windowAttention({ numHeads: 2 }))'],
    ['input(5, 7, 8)', 'windows({ windowSize: [2, 3], padding: true, dilated: true }, selfAttention({ numHeads: 2 }))'],
    ['input(5, 7, 8)', 'windows({ windowSize: [2, 3], shift: [1, 0], padding: true }, windowAttention({ numHeads: 2, attentionDropout: 0.1, projDropout: 0.2 }))'],
    ['input(4, 8, 8)', "windows({ windowSize: 7, shift: 3, clamp: 'both' }, serial(layerNorm(), selfAttention({ numHeads: 2 }), linear(4)))"],
    ['input(3, 5, 8)', "windows({ windowSize: 4, shift: 2, padding: true, clamp: 'never' }, encoderBlock({ numHeads: 2, dropout: 0.1 }))"],
  ],
}

const pipe = (x: unknown, ...fs: readonly ((x: unknown) => unknown)[]): unknown => fs.reduce((value, f) => f(value), x)

/** The value of an expression in the library's words. */
export const evaluate = (text: string): unknown => new Function('scope', `with (scope) { return (${text}) }`)({ ...vitrail, pipe, isRight, left, right }) as unknown

const upTo = (m: vitrail.AnyModel, count: number): vitrail.Model<unknown, unknown> => model(m.input, m.layers.slice(0, count))

const fromExample = (name: string, text: string): readonly Sample[] => {
  const [, expression] = /^(pipe\(.*\)) \/\/ Model</.exec(text) ?? []
  if (expression === undefined) return []
  const built = evaluate(expression) as vitrail.AnyModel
  return built.layers.flatMap((layer, i) => (layer.definition.kind === name ? [{ name, text: expression, before: upTo(built, i), layer }] : []))
}

/** The layers of the listing: everything `src/layers` exports but combinators on layers themselves. */
export const layerNames: readonly string[] = Object.keys(listing).filter(name => name !== 'mapLayer')

/** Every layer of the listing as its own example shows it, and as said above. */
export const samples: readonly Sample[] = sources('src/layers').flatMap(source => {
  const name = source.path.split('/').at(-1)!.slice(0, -3)
  if (!layerNames.includes(name)) return []
  const shown = examplesOf(source).filter(e => e.name === name).flatMap(e => e.lines.flatMap(line => fromExample(name, line)))
  const told = (more[name] ?? []).map(([input, layer]) => ({ name, text: `pipe(${input}, ${layer})`, before: evaluate(input) as vitrail.Model<unknown, unknown>, layer: evaluate(layer) as vitrail.AnyLayer }))
  return [...shown, ...told]
})

/** A sample as a model. */
export const apply = ({ before, layer }: Pick<Sample, 'before' | 'layer'>): vitrail.Model<unknown, unknown> => model(before.input, [...before.layers, layer])
