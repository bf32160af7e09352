import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { compile } from '../../backends/compile.js'
import type { Backend } from '../../backends/device.js'
import type { InputSpec } from '../../layers/core/model.js'
import { isTensor, type Signal, type Tensor } from '../../ops/tensor.js'
import { problem, type Problem } from '../../shape/problem.js'
import { show, type Shape } from '../../shape/shape.js'
import { checkpoint } from './checkpoint.js'
import { layouts } from './layouts.js'
import type { Recording } from './recording.js'

type Numbers = Float32Array | Int32Array

/** What we compute for one key of a recording, `shape` with the batch in front; or why there is nothing. */
export type Replayed = { readonly shape: Shape; readonly values: Numbers } | { readonly missing: string }

/** Where the value of a key is in our model: the output (or a field of it), an inner output by name, or nowhere. */
type Place = { readonly kind: 'output'; readonly field?: string } | { readonly kind: 'feature'; readonly name: string } | { readonly kind: 'nowhere'; readonly why: string }

/** Whether a key is one that is compared: an output, an inner output or a running statistic after a training step, but not the loss, which is no part of the model. */
export const isCompared = (key: string): boolean => /^@(out|feat|after)\//.test(key) && key !== '@out/loss'

/**
 * Runs a recording's input through our model on a backend. Gives a value for every key that is compared, and
 * the keys that are not. Errors: those of `checkpoint` and `compile`; `inputMisfit`.
 */
export const replay = (recording: Recording, backend: Backend): TaskEither<Problem, { readonly values: ReadonlyMap<string, Replayed>; readonly notCompared: readonly string[] }> => async () => {
  const { recorded, source, replica, graph, mode } = recording
  const keys = [...recorded.tensors.keys()].filter(key => key.startsWith('@')).sort()
  const places = new Map(keys.filter(isCompared).map(key => [key, placeOf(recording, key)]))
  const used = new Set<string>()
  const input = await inputs(recording, replica.model.input, undefined, used)
  if (input._tag === 'Left') return input
  const weights = checkpoint(source, replica.model, mode)
  if (weights._tag === 'Left') return left({ ...weights.left, sentence: `${recording.name}: ${weights.left.sentence}` })
  const features = [...new Set([...places.values()].flatMap(place => (place.kind === 'feature' ? [place.name] : [])))]
  const program = await compile(replica.model, { backend, weights: weights.right, features, mode })()
  if (program._tag === 'Left') return program
  const ran = await program.right.runWithFeatures(input.right as never)()
  program.right.dispose()
  if (ran._tag === 'Left') return ran
  const { output, features: inner } = ran.right as unknown as { readonly output: unknown; readonly features: Readonly<Record<string, unknown>> }
  const values = new Map<string, Replayed>()
  for (const [key, place] of places) {
    if (place.kind === 'nowhere') values.set(key, { missing: place.why })
    else if (place.kind === 'feature') values.set(key, withShape(graph.features.get(place.name)!, inner[place.name]))
    else if (place.field === undefined) values.set(key, withShape(graph.output, output))
    else values.set(key, withShape((graph.output as Readonly<Record<string, Signal>>)[place.field]!, (output as Readonly<Record<string, unknown>>)[place.field]))
  }
  return right({ values, notCompared: keys.filter(key => !isCompared(key) && !used.has(key)) })
}

const placeOf = ({ replica, graph }: Recording, key: string): Place => {
  const name = key.slice(key.indexOf('/') + 1)
  const isOutput = key.startsWith('@out/')
  if (isOutput && Object.hasOwn(replica.outputs, name)) return { kind: 'feature', name: replica.outputs[name]! }
  if (isOutput && !isTensor(graph.output) && Object.hasOwn(graph.output, name)) return { kind: 'output', field: name }
  if (isOutput && isTensor(graph.output) && name === 'logits') return { kind: 'output' }
  if (graph.features.has(name)) return { kind: 'feature', name }
  return { kind: 'nowhere', why: `the model has no ${isOutput ? 'output' : 'layer'} '${name}'` }
}

const withShape = (signal: Signal, values: unknown): Replayed => {
  if (!isTensor(signal)) return { missing: 'it is a record of tensors here' }
  const numbers = values as Numbers
  const size = (signal as Tensor).shape.reduce((product, axis) => product * axis, 1)
  // What does not depend on the input comes back once for each sample, but was recorded once.
  return signal.batched ? { shape: [numbers.length / size, ...(signal as Tensor).shape], values: numbers } : { shape: (signal as Tensor).shape, values: numbers.subarray(0, size) }
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
