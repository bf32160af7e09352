import type { Activation } from '../../layers/core/activation.js'
import type { EmbeddingConfig } from '../../layers/embedding.js'
import type { GeluConfig } from '../../layers/gelu.js'
import type { GroupNormConfig } from '../../layers/groupNorm.js'
import type { BatchNormConfig } from '../../layers/batchNorm.js'
import type { NormConfig } from '../../layers/layerNorm.js'
import type { LinearConfig } from '../../layers/linear.js'
import type { QuantisationGrid } from '../../layers/core/quantise.js'
import type { MlpConfig } from '../../layers/mlp.js'
import { activate, gelus, logistic } from './activations.js'
import { at, channelwise, each, meanOf, numbers, project, softmaxOf, standardised, type Numbers } from './numbers.js'
import type { Place, Run } from './oracle.js'

// Layers that work on the channels of each place by themselves, whatever the places are; and norms.

/** A run on one array. */
export const onArray = (f: (x: Numbers) => Numbers): Run => x => f(x as Numbers)

/** Passes everything on: `identity`, what only states a shape, and what acts in training alone. */
export const nothing = (): Run => x => x

/** A function of each element. */
export const elementwise = (f: (x: number) => number): Run => onArray(x => each(x, f))

export const gelu = (_: Place, { form = 'erf' }: GeluConfig = {}): Run => elementwise(gelus[form])
export const relu = (): Run => elementwise(activate.relu)
export const sigmoid = (): Run => elementwise(logistic)
export const silu = (): Run => elementwise(activate.silu)
export const scale = (_: Place, factor: number): Run => elementwise(x => factor * x)
/** Jacob et al., 2018, equation 12, with PyTorch's inverse in single precision and halves to the even neighbour. */
export const fakeQuantise = (_: Place, { scale, zeroPoint = 0, range = [-128, 127], axis }: QuantisationGrid): Run =>
  onArray(x => numbers(x.shape, (...where) => {
    const of = (values: number | readonly number[]): number => (typeof values === 'number' ? values : values[where[axis ?? where.length - 1]!]!)
    const [own, zero] = [Math.fround(of(scale)), of(zeroPoint)]
    const steps = at(x, ...where) * Math.fround(1 / own)
    const floor = Math.floor(steps)
    const nearest = steps - floor === 0.5 ? floor + Math.abs(floor % 2) : Math.round(steps)
    return own * (Math.min(range[1], Math.max(range[0], nearest + zero)) - zero)
  }))
export const tanh = (): Run => elementwise(activate.tanh)
export const softmax = (): Run => onArray(x => channelwise(x, softmaxOf))

const dimOf = (x: Numbers): number => x.shape.at(-1)!

/** `x Wᵀ + b` with the weights of a place. */
export const mapped = (x: Numbers, place: Place, dim: number, bias: boolean): Numbers => project(x, place.weight('weight', dim, dimOf(x)), bias ? place.weight('bias', dim) : undefined)

export const linear = (place: Place, dim: number, { bias = true }: LinearConfig = {}): Run => onArray(x => mapped(x, place, dim, bias))

/** Ba et al., 2016. */
export const layerNormed = (x: Numbers, place: Place, epsilon: number, affine = true): Numbers => {
  const [scale, shift] = affine ? [place.weight('weight', dimOf(x)).data, place.weight('bias', dimOf(x)).data] : [undefined, undefined]
  return channelwise(x, v => standardised(v, epsilon).map((value, c) => value * (scale?.[c] ?? 1) + (shift?.[c] ?? 0)))
}

export const layerNorm = (place: Place, { epsilon = 1e-6, affine = true }: NormConfig = {}): Run => onArray(x => layerNormed(x, place, epsilon, affine))

/** Zhang and Sennrich, 2019, equation 4. */
export const rmsNormed = (x: Numbers, place: Place, epsilon: number, affine = true): Numbers => {
  const scale = affine ? place.weight('weight', dimOf(x)).data : undefined
  return channelwise(x, v => v.map((value, c) => (value / Math.sqrt(meanOf(v.map(u => u * u)) + epsilon)) * (scale?.[c] ?? 1)))
}

export const rmsNorm = (place: Place, { epsilon = 1e-6, affine = true }: NormConfig = {}): Run => onArray(x => rmsNormed(x, place, epsilon, affine))

/** Ioffe and Szegedy, 2015, algorithm 2: in inference, with the running statistics. */
export const batchNormed = (x: Numbers, place: Place, epsilon: number): Numbers => {
  const [scale, shift, mean, variance] = ['weight', 'bias', 'running_mean', 'running_var'].map(name => place.weight(name, dimOf(x)).data) as [Float64Array, Float64Array, Float64Array, Float64Array]
  return channelwise(x, v => v.map((value, c) => ((value - mean[c]!) / Math.sqrt(variance[c]! + epsilon)) * scale[c]! + shift[c]!))
}

export const batchNorm = (place: Place, { epsilon = 1e-5 }: BatchNormConfig = {}): Run => onArray(x => batchNormed(x, place, epsilon))

/** Wu and He, 2018: one mean and variance for all places and the channels of a group. */
export const groupNorm = (place: Place, { numGroups = 32, epsilon = 1e-5, activation }: GroupNormConfig<number> = {}): Run =>
  onArray(x => {
    const dim = dimOf(x)
    const [scale, shift] = [place.weight('weight', dim).data, place.weight('bias', dim).data]
    const groupOf = (index: number): number => Math.floor((index % dim) / (dim / numGroups))
    const data = new Float64Array(x.data.length)
    for (let group = 0; group < numGroups; group++) {
      const members = Array.from(x.data.keys()).filter(index => groupOf(index) === group)
      standardised(members.map(index => x.data[index]!), epsilon).forEach((value, i) => (data[members[i]!] = value))
    }
    const normed = { shape: x.shape, data: data.map((value, index) => value * scale[index % dim]! + shift[index % dim]!) }
    return activation === undefined ? normed : each(normed, activate[activation])
  })

/** A learned factor for each channel. */
export const scaled = (x: Numbers, place: Place): Numbers => {
  const gamma = place.weight('gamma', dimOf(x)).data
  return channelwise(x, v => v.map((value, c) => value * gamma[c]!))
}

export const layerScale = (place: Place): Run => onArray(x => scaled(x, place))

/** Vaswani et al., 2017, section 3.3. */
export const perceptron = (x: Numbers, place: Place, hidden: number, activation: Activation, bias: boolean): Numbers =>
  mapped(each(mapped(x, place.at('fc1'), hidden, bias), activate[activation]), place.at('fc2'), dimOf(x), bias)

export const mlp = (place: Place, { mlpRatio = 4, hiddenDim, activation = 'gelu', bias = true }: MlpConfig = {}): Run =>
  onArray(x => perceptron(x, place, hiddenDim ?? Math.floor(dimOf(x) * mlpRatio), activation, bias))

export const embedding = (place: Place, { vocabularySize, dim }: EmbeddingConfig<number, number>): Run =>
  onArray(ids => {
    const table = place.weight('weight', vocabularySize, dim)
    return numbers([...ids.shape, dim], (...where) => at(table, at(ids, ...where.slice(0, -1)), where.at(-1)!))
  })
