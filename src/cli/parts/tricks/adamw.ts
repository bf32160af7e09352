import { right, type Either } from 'fp-ts/lib/Either.js'
import type { Backend } from '../../../backends/device.js'
import type { Routine } from '../../../backends/prepare.js'
import { openSession } from '../../../backends/openSession.js'
import { gradient } from '../../../graph/gradient/gradient.js'
import { add, gelu, input, linear, parameter, scalar } from '../../../ops/ops.js'
import type { Tensor } from '../../../ops/tensor.js'
import { sizeOf } from '../../../shape/shape.js'
import type { Problem } from '../../../shape/problem.js'
import { crossEntropy, oneHot } from '../../../training/losses.js'
import { adamw as adamwOf, clipByGlobalNorm, takesDecay } from '../../../training/optimisers.js'
import { Misread, type Recorded } from './recorded.js'
import type { Check, Trick } from './trick.js'

/** AdamW on a small perceptron, several steps on the device: with and without decay of its bias, with clipping. */
export const adamw: Trick = {
  fields: ['X', 'Y', 'W1', 'b1', 'W2', 'config'],
  replay: (recorded, backend) => async () => {
    const checks: Record<string, Check> = {}
    for (const [key, entry] of recorded.objectsWith('losses')) {
      const trained = await train(recorded, key, entry, backend)
      if (trained._tag === 'Left') return trained
      Object.assign(checks, trained.right)
    }
    return right({ checks })
  },
}

/** The parameters, and what recordings call the states kept for each. */
const names = ['W1', 'b1', 'W2'] as const
const states = { m: 'exp_avg', v: 'exp_avg_sq' } as const

const train = async (recorded: Recorded, key: string, entry: Recorded, backend: Backend): Promise<Either<Problem, Readonly<Record<string, Check>>>> => {
  const routine = stepOf(recorded, key, entry)
  const weights = new Map([...routine.updates.map(({ parameter: { attributes, shape } }) => [attributes.name, new Float32Array(sizeOf(shape))] as const), ...names.map(name => [name, Float32Array.from(recorded.tensor(name).data)] as const), ['step', Float32Array.of(1)] as const, ['rate', Float32Array.of(recorded.object('config').number('lr'))] as const])
  const opened = await openSession({ step: routine }, { backend, weights })()
  if (opened._tag === 'Left') return opened
  const session = opened.right
  const batch = { x: Float32Array.from(recorded.tensor('X').data), y: Int32Array.from(recorded.numbers('Y')) }
  const [losses, norms]: [number[], number[]] = [[], []]
  const checks: Record<string, Check> = {}
  for (let step = 1; step <= entry.numbers('losses').length; step++) {
    const ran = await session.run('step', batch)()
    if (ran._tag === 'Left') return ran
    const { loss, norm } = ran.right as Readonly<Record<string, Float32Array>>
    losses.push(loss![0]!)
    norms.push(norm![0]!)
    if (!entry.has(`after_${step}`)) continue
    const read = await session.read(names)()
    if (read._tag === 'Left') return read
    for (const name of names) checks[`${key}.after_${step}.${name}`] = { ours: read.right.get(name)!, recorded: entry.object(`after_${step}`).tensor(name).data, near: 'single' }
  }
  const kept = await session.read()()
  session.dispose()
  if (kept._tag === 'Left') return kept
  for (const [state, recordedAs] of Object.entries(states)) for (const name of names) checks[`${key}.${recordedAs}.${name}`] = { ours: kept.right.get(`${name}.${state}`)!, recorded: entry.object(recordedAs).tensor(name).data, near: 'gradient' }
  checks[`${key}.losses`] = { ours: losses, recorded: entry.numbers('losses'), near: 'single' }
  if (entry.numbers('grad_norms').length > 0) checks[`${key}.grad_norms`] = { ours: norms, recorded: entry.numbers('grad_norms'), near: 'single' }
  return right(checks)
}

/** One step of training as a routine: the mean cross-entropy of `gelu(X·W1ᵀ + b1)·W2ᵀ`, its gradients, clipped where that was recorded, and AdamW. */
const stepOf = (recorded: Recorded, key: string, entry: Recorded): Routine & Required<Pick<Routine, 'updates'>> => {
  const config = recorded.object('config')
  const held = (name: string, shape: readonly number[]): Tensor<'parameter'> => parameter(name, shape, { kind: 'zeros' })
  const [x, y] = [input('x', recorded.tensor('X').shape.slice(1)), input('y', [], 'int32')]
  const [w1, b1, w2] = names.map(name => held(name, recorded.tensor(name).shape)) as [Tensor<'parameter'>, Tensor<'parameter'>, Tensor<'parameter'>]
  const parameters = [w1, b1, w2]
  const [rate, step] = [held('rate', []), held('step', [])]
  const logits = linear(gelu(linear(x, w1, b1)), w2)
  const loss = crossEntropy(logits, oneHot(y, logits.shape[0]!))
  const slopes = gradient(loss, parameters)
  const whole = parameters.map(p => slopes.of.get(p)!)
  const clipped = clipByGlobalNorm(whole, entry.numberOr('max_norm', 1))
  const gradients = entry.has('max_norm') ? clipped.gradients : whole
  const { update, state: kept } = adamwOf({ betas: config.numbers('betas') as [number, number], epsilon: config.number('eps'), weightDecay: config.number('weight_decay'), amsgrad: config.flag('amsgrad') })
  const updates = parameters.flatMap((p, i) => {
    const state = Object.fromEntries(kept.map(of => [of, held(`${names[i]}.${of}`, p.shape)]))
    const next = update({ parameter: p, gradient: gradients[i]!, state, rate, step, decay: decays(key, names[i]!, p), scale: 1 })
    return [{ parameter: p, value: next.parameter }, ...kept.map(of => ({ parameter: state[of]!, value: next.state[of]! }))]
  })
  return { inputs: { x, y }, outputs: { loss, norm: clipped.norm }, updates: [...updates, { parameter: step, value: add(step, scalar(1)) }] }
}

/** A name such as `no_decay_on_b1` says which parameters are left out; others but `all_decay` go by the usual rule. */
const decays = (key: string, name: string, p: Tensor): boolean => {
  if (key === 'all_decay') return true
  const left = /^no_decay_on_(\w+)$/.exec(key)?.[1]
  if (left !== undefined && !names.some(known => known === left)) throw new Misread(`${key} names no parameter`)
  return left === undefined ? takesDecay(name, p.shape) : name !== left
}
