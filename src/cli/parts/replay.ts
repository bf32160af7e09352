import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Backend } from '../../backends/device.js'
import { openSession } from '../../backends/openSession.js'
import { gradient } from '../../graph/gradient/gradient.js'
import type { InputSpec } from '../../layers/core/model.js'
import { input as integers, multiply, scalar } from '../../ops/ops.js'
import { isOp, isTensor, tensorsOf, type Signal, type Tensor } from '../../ops/tensor.js'
import { problem, type Problem } from '../../shape/problem.js'
import { show, type Shape } from '../../shape/shape.js'
import { crossEntropy } from '../../training/losses/crossEntropy.js'
import { oneHot } from '../../training/losses/oneHot.js'
import { checkpoint } from './checkpoint.js'
import { evenBatches, ownSamples, type EvenBatches } from './evenBatches.js'
import { layouts } from './layouts.js'
import type { Recording } from './recording.js'

type Numbers = Float32Array | Int32Array

/** What we compute for one key of a recording, `shape` with the batch in front, or a weight's own; or why there is nothing. */
export type Replayed = { readonly shape: Shape; readonly values: Numbers; readonly asStored?: true } | { readonly missing: string }

/** Where the value of a key is among our graphs, or why it is nowhere. */
type Place = { readonly signal: Signal; readonly asStored?: true } | { readonly missing: string }

/** Whether a key is one that is compared: an output, an inner output, a gradient, or a running statistic after a training step. */
export const isCompared = (key: string): boolean => /^@(out|feat|after|grad|grad_in)\//.test(key)

/** Whether a key is compared as gradients are: on the scale of its own largest element. */
export const isGradient = (key: string): boolean => /^@grad(_in)?\//.test(key)

/**
 * Runs a recording's input through our model on a backend, and back again where gradients were recorded. Gives a
 * value for every key that is compared, and the keys that are not. Errors: those of `checkpoint` and `openSession`;
 * `inputMisfit`.
 */
export const replay = (recording: Recording, backend: Backend): TaskEither<Problem, { readonly values: ReadonlyMap<string, Replayed>; readonly notCompared: readonly string[] }> => async () => {
  const { recorded, source, replica, graph, mode } = recording
  const keys = [...recorded.tensors.keys()].filter(key => key.startsWith('@')).sort()
  const used = new Set<string>()
  const input = await inputs(recording, replica.model.input, undefined, used)
  if (input._tag === 'Left') return input
  const even = evenBatches(input.right, replica.model.input)
  const target = recorded.tensors.has(targetKey) ? await recorded.read(targetKey)() : undefined
  if (target?._tag === 'Left') return target
  const weights = checkpoint(source, replica.model, mode)
  if (weights._tag === 'Left') return left({ ...weights.left, sentence: `${recording.name}: ${weights.left.sentence}` })
  const objective = target !== undefined || keys.some(isGradient) ? objectiveOf(recording, even, target !== undefined) : undefined
  if (objective?.target !== undefined) used.add(targetKey)
  const places = new Map(keys.filter(isCompared).map(key => [key, placeOf(recording, even, objective, key)]))
  const outputs = Object.fromEntries([...places].flatMap(([key, place]) => ('signal' in place ? [[key, place.signal]] : [])))
  const [askedOf, given] = objective?.target === undefined ? [{ input: graph.inputs }, { input: even.values }] : [{ input: graph.inputs, target: objective.target }, { input: even.values, target: Int32Array.from(target!.right.data) }]
  const session = await openSession({ replay: { inputs: askedOf, outputs } }, { backend, weights: weights.right })()
  if (session._tag === 'Left') return session
  const ran = await session.right.run('replay', given)()
  session.right.dispose()
  if (ran._tag === 'Left') return ran
  const values = new Map([...places].map(([key, place]) => [key, 'signal' in place ? withShape(place, ran.right[key], even) : place]))
  return right({ values, notCompared: keys.filter(key => !isCompared(key) && !used.has(key)) })
}

/** Class numbers, one for each sample. */
const targetKey = '@in/target'

/** What was differentiated: the loss that the reference computes itself, or else the mean cross-entropy of the logits over the batch. */
interface Objective {
  readonly target?: Tensor
  readonly loss: Tensor
  readonly gradients: ReadonlyMap<Tensor, Tensor>
}

const objectiveOf = (recording: Recording, even: EvenBatches, hasTarget: boolean): Objective | undefined => {
  const over = (loss: Tensor) => ({ loss, gradients: gradient(loss, [...recording.graph.parameters, ...tensorsOf(recording.graph.inputs).filter(x => x.dtype === 'float32')]).of })
  const own = placeOf(recording, even, undefined, '@out/loss')
  if ('signal' in own) return over(own.signal as Tensor)
  if (!hasTarget) return undefined
  const logits = placeOf(recording, even, undefined, '@out/logits')
  if ('missing' in logits || !isTensor(logits.signal)) return undefined
  const target = integers('target', [], 'int32')
  return { target, ...over(crossEntropy(logits.signal, oneHot(target, logits.signal.shape.at(-1)!))) }
}

const placeOf = ({ replica, graph }: Recording, { samples }: EvenBatches, objective: Objective | undefined, key: string): Place => {
  const name = key.slice(key.indexOf('/') + 1)
  const computed = key.startsWith('@out/') ? replica.computed?.(graph, samples) : undefined
  if (computed !== undefined && Object.hasOwn(computed, name)) return { signal: computed[name]! }
  if (isGradient(key) || key === '@out/loss') {
    if (objective === undefined) return { missing: `there are no logits or no ${targetKey} to make a loss of` }
    if (!isGradient(key)) return { signal: objective.loss }
    const isInput = key.startsWith('@grad_in/')
    const of = isInput ? inputNamed(graph.inputs, name) : graph.parameters.find(p => p.attributes.name === name)
    if (of === undefined) return { missing: `the model has no ${isInput ? 'input' : 'parameter'} '${name}'` }
    // What the loss does not depend on has a gradient of zeros.
    return { signal: objective.gradients.get(of) ?? multiply(of, scalar(0)), ...(isInput ? {} : { asStored: true }) }
  }
  const isOutput = key.startsWith('@out/')
  if (isOutput && Object.hasOwn(replica.outputs, name)) return { signal: graph.features.get(replica.outputs[name]!)! }
  if (isOutput && !isTensor(graph.output) && Object.hasOwn(graph.output, name)) return { signal: graph.output[name]! }
  if (isOutput && isTensor(graph.output) && name === 'logits') return { signal: graph.output }
  const feature = graph.features.get(name)
  return feature === undefined ? { missing: `the model has no ${isOutput ? 'output' : 'layer'} '${name}'` } : { signal: feature }
}

const inputNamed = (signal: Signal, name: string): Tensor | undefined => tensorsOf(signal).find(x => isOp(x, 'input') && x.attributes.name === name)

const withShape = ({ signal, asStored }: Extract<Place, { signal: Signal }>, values: unknown, even: EvenBatches): Replayed => {
  if (!isTensor(signal)) return { missing: 'it is a record of tensors here' }
  const numbers = values as Numbers
  if (asStored === true) return { shape: signal.shape, values: numbers, asStored }
  const size = (signal as Tensor).shape.reduce((product, axis) => product * axis, 1)
  const count = ownSamples(signal, even)
  return signal.batched ? { shape: [count, ...(signal as Tensor).shape], values: numbers.subarray(0, count * size) } : { shape: (signal as Tensor).shape, values: numbers }
}

/** The inputs a model wants, from `@in/x`, or `@in/NAME` for the fields of a record. */
const inputs = async (recording: Recording, spec: InputSpec, name: string | undefined, used: Set<string>): Promise<Either<Problem, unknown>> => {
  if ('fields' in spec) {
    const fields: Record<string, unknown> = {}
    for (const [field, inner] of Object.entries(spec.fields)) {
      const read = await inputs(recording, inner, name === undefined ? field : `${name}.${field}`, used)
      if (read._tag === 'Left') return read
      fields[field] = read.right
    }
    return right(fields)
  }
  const key = `@in/${name ?? 'x'}`
  const holder = recording.recorded.tensors.has(key) ? recording.recorded : recording.source
  const stored = await holder.read(key)()
  if (stored._tag === 'Left') return stored
  const { shape, data } = stored.right
  const values = layouts.ours(data, shape, spec.shape)
  if (values === undefined) return left(problem('inputMisfit', `${recording.name}: ${key} is ${show(shape)}, but the model takes ${show(spec.shape)} after the batch`))
  if (values instanceof Int32Array !== (spec.dtype === 'int32')) return left(problem('inputMisfit', `${recording.name}: ${key} holds ${stored.right.dtype}, but the model takes ${spec.dtype}`))
  used.add(key)
  return right(values)
}
