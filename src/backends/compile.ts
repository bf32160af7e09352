import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { parametersOf } from '../graph/graph.js'
import { trace } from '../graph/trace.js'
import type { Mode } from '../layers/core/layer.js'
import type { AnyModel, Model } from '../layers/core/model.js'
import { isOp, type Tensor } from '../ops/tensor.js'
import { optimise } from '../passes/pipeline.js'
import { problem, type Problem } from '../shape/problem.js'
import { show, sizeOf, type Shape } from '../shape/shape.js'
import type { Backend, Device } from './device.js'
import { Memory } from './memory.js'
import { plan, requested, schedule, type Plan } from './plan.js'
import { Program } from './program.js'

/** Where a model's weights come from: values by name, or a way to read one at a time. */
export type Weights = ReadonlyMap<string, Float32Array> | ((name: string, shape: Shape) => TaskEither<Problem, Float32Array>)

/** Options of {@link compile}. */
export interface CompileOptions {
  readonly backend: Backend
  readonly weights: Weights
  /** Inner outputs to keep, by layer path (`blocks.3.attn`) or tap name. */
  readonly features?: readonly string[]
  /** `training` lets dropout and its kin act (default `inference`). */
  readonly mode?: Mode
}

/**
 * A model made ready to run on a backend: traced, optimised, proved to have every kernel it needs, its
 * weights loaded and brought into the form the kernels want.
 *
 * Errors: those of `trace`; `missingKernels`; `missingWeight`, `weightMisfit`; those of the backend.
 *
 * @example
 * const program = await compile(vitTiny, { backend: wasm, weights })() // Either<Problem, Program<…>>
 */
export const compile = <I, S>(model: Model<I, S>, options: CompileOptions): TaskEither<Problem, Program<I, S>> => async () => {
  const traced = trace(model as AnyModel, { mode: options.mode ?? 'inference' })
  if (traced._tag === 'Left') return traced
  const kept = requested(traced.right, options.features ?? [])
  if (kept._tag === 'Left') return kept
  const [output, ...features] = optimise(kept.right)
  const opened = await options.backend.open()
  if (opened._tag === 'Left') return opened
  const device = opened.right
  const { once, each, outputs } = schedule([output!, ...features])
  const held = new Set(outputs)
  // Plans for one sample prove that every kernel exists before any weight is read.
  const eachRun = plan(device, each, held, 1)
  if (eachRun._tag === 'Left') return eachRun
  const users = usersOf(eachRun.right, new Set(once))
  const setUp = plan(device, once, new Set([...held, ...users.raw]), 1)
  if (setUp._tag === 'Left') return setUp
  const memory = new Memory(device)
  const adapted = new Map<Tensor, unknown>()
  const loaded = await load(device, setUp.right, users.rewriters, memory, adapted, options.weights)
  if (loaded !== undefined) {
    for (const buffer of adapted.values()) device.free(buffer)
    memory.release()
    return left(loaded)
  }
  const names = options.features ?? []
  return right(
    new Program<I, S>({
      device,
      inputs: traced.right.inputs,
      output: output!,
      features: Object.fromEntries(names.map((name, i) => [name, features[i]!])),
      each,
      held,
      weights: memory,
      adapted,
      parameters: parametersOf(traced.right).map(p => p.attributes.name),
    }),
  )
}

/** How the nodes of every run use those computed once: as they are, or rewritten for one node's kernel. */
interface Users<B> {
  readonly raw: ReadonlySet<Tensor>
  readonly rewriters: ReadonlyMap<Tensor, readonly (readonly [user: Tensor, make: (buffer: B) => B])[]>
}

const usersOf = <B>({ steps }: Plan<B>, once: ReadonlySet<Tensor>): Users<B> => {
  const raw = new Set<Tensor>()
  const rewriters = new Map<Tensor, (readonly [Tensor, (buffer: B) => B])[]>()
  for (const { node, kernel } of steps)
    node.inputs.forEach((x, i) => {
      if (!once.has(x)) return
      if (kernel.adapt?.input === i) rewriters.set(x, [...(rewriters.get(x) ?? []), [node, kernel.adapt.make]])
      else raw.add(x)
    })
  return { raw, rewriters }
}

/** Computes all that depends on weights alone and rewrites what kernels want otherwise; the plan frees the rest. */
const load = async <B>(device: Device<B>, setUp: Plan<B>, rewriters: Users<B>['rewriters'], memory: Memory<B>, adapted: Map<Tensor, B>, weights: Weights): Promise<Problem | undefined> => {
  try {
    for (const { node, kernel, frees } of setUp.steps) {
      if (isOp(node, 'parameter')) {
        const values = await valuesOf(node, weights)
        if (values._tag === 'Left') return values.left
        memory.set(node, device.upload(values.right, [1, ...node.shape], 'float32'))
      } else if (isOp(node, 'constant')) memory.set(node, device.upload(node.attributes.data, [1, ...node.shape], node.dtype))
      else memory.run(node, kernel)
      for (const [user, make] of rewriters.get(node) ?? []) adapted.set(user, make(memory.need(node)))
      memory.free(frees)
    }
    return undefined
  } catch (fault) {
    return problem('loadFailed', `compile: ${device.name} failed while weights were loaded: ${fault instanceof Error ? fault.message : String(fault)}`)
  }
}

const valuesOf = async (node: Tensor<'parameter'>, weights: Weights): Promise<Either<Problem, Float32Array>> => {
  const { name } = node.attributes
  if (typeof weights === 'function') {
    const read = await weights(name, node.shape)()
    return read._tag === 'Left' ? read : check(name, node.shape, read.right)
  }
  const values = weights.get(name)
  return values === undefined ? left(problem('missingWeight', `weights: there is no '${name}' (${show(node.shape)})`, { remedy: 'initialise(model, seed) makes weights for a new model; a checkpoint must hold every parameter' })) : check(name, node.shape, values)
}

const check = (name: string, shape: Shape, values: Float32Array): Either<Problem, Float32Array> =>
  !(values instanceof Float32Array) ? left(problem('weightMisfit', `weights: '${name}' is no Float32Array`))
  : values.length === sizeOf(shape) ? right(values) : left(problem('weightMisfit', `weights: '${name}' has ${values.length} values, but ${show(shape)} needs ${sizeOf(shape)}`))

