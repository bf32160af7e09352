import type { Update } from '../../backends/prepare.js'
import * as ops from '../../ops/ops.js'
import type { Tensor } from '../../ops/tensor.js'
import { clipByGlobalNorm } from '../clipByGlobalNorm.js'
import { clipByValue } from '../clipByValue.js'
import { layerDecay } from '../layerDecay.js'
import { movingAverage } from '../movingAverage.js'
import { takesDecay } from '../takesDecay.js'
import type { ParameterGradient } from './gradientsOf.js'
import type { StepParts } from './stepParts.js'

/** A tensor that is kept beside the parameters, and the parameter whose values it begins with; zeros where there is none. */
export interface StateTensor {
  readonly tensor: Tensor<'parameter'>
  readonly beginsAs?: string
}

/** What an update is made of. */
export interface UpdateParts {
  readonly gradients: readonly ParameterGradient[]
  /** Running statistics and what they become. */
  readonly statistics: readonly Update[]
  readonly rate: Tensor
  readonly step: Tensor
  /** The names of all parameters in the order in which the model uses them. */
  readonly order: readonly string[]
  readonly parts: Pick<StepParts, 'optimiser' | 'clipNorm' | 'clipValue' | 'average' | 'layerDecay'>
}

/** The name of the average of a parameter. */
export const averageName = (parameter: string): string => `@average/${parameter}`

/** What the names of gathered gradients begin with. */
export const gatheredUnder = '@gradient/'

/** The name under which gradients of a parameter are gathered. */
export const gradientName = ({ attributes: { name } }: Tensor<'parameter'>): string => `${gatheredUnder}${name}`

/**
 * One update of all parameters that have gradients: clipping by value, then by norm, then the optimiser, then the
 * average of weights, which also follows the running statistics. The norm is that of the gradients as they come.
 */
export const updateStep = ({ gradients, statistics, rate, step, order, parts: { optimiser, clipNorm, clipValue, average, layerDecay: decay = 1 } }: UpdateParts): { readonly norm: Tensor; readonly updates: readonly Update[]; readonly state: readonly StateTensor[] } => {
  const given = gradients.map(({ gradient }) => gradient)
  const { norm } = clipByGlobalNorm(given, 1)
  const small = clipValue === undefined ? given : clipByValue(given, clipValue)
  const clipped = clipNorm === undefined ? small : clipByGlobalNorm(small, clipNorm).gradients
  const scales = layerDecay(order, decay)
  const updates: Update[] = []
  const state: StateTensor[] = []
  const kept = (name: string, like: Tensor<'parameter'>, beginsAs?: string): Tensor<'parameter'> => {
    const tensor = ops.parameter(name, like.shape, { kind: 'zeros' }, 'buffer')
    state.push({ tensor, ...(beginsAs === undefined ? {} : { beginsAs }) })
    return tensor
  }
  const follow = (parameter: Tensor<'parameter'>, value: Tensor): void => {
    const { name } = parameter.attributes
    if (average === undefined) return
    const tensor = kept(averageName(name), parameter, name)
    updates.push({ parameter: tensor, value: movingAverage(tensor, value, average) })
  }
  gradients.forEach(({ parameter }, i) => {
    const { name } = parameter.attributes
    const before = Object.fromEntries(optimiser.state.map(part => [part, kept(`@optimiser/${part}/${name}`, parameter)]))
    const after = optimiser.update({ parameter, gradient: clipped[i]!, state: before, rate, step, decay: takesDecay(name, parameter.shape), scale: scales.get(name)! })
    for (const part of optimiser.state) updates.push({ parameter: before[part]!, value: after.state[part]! })
    updates.push({ parameter, value: after.parameter })
    follow(parameter, after.parameter)
  })
  for (const { parameter, value } of statistics) follow(parameter, value)
  return { norm, updates, state }
}
