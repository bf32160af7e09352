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
import { isLeaf, plan, requested, schedule, type Plan } from './plan.js'
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
  // A plan for one sample proves that every kernel exists before any weight is read.
  const setUp = plan(device, once, new Set([...held, ...each.flatMap(n => n.inputs)]), 1)
  if (setUp._tag === 'Left') return setUp
  const first = plan(device, each, held, 1)
  if (first._tag === 'Left') return first
  const weights = new Memory(device)
  const loaded = await load(device, setUp.right, first.right, held, weights, options.weights).catch((fault: unknown) =>
    left(problem('loadFailed', `compile: ${device.name} failed while weights were loaded: ${fault instanceof Error ? fault.message : String(fault)}`)),
  )
  if (loaded._tag === 'Left') {
    weights.release()
    return loaded
  }
  const names = options.features ?? []
  return right(new Program<I, S>({ device, inputs: traced.right.inputs, output: output!, features: Object.fromEntries(names.map((name, i) => [name, features[i]!])), each, held, weights, adapted: loaded.right, parameters: parametersOf(traced.right).map(p => p.attributes.name) }))
}

/** Computes all that depends on weights alone, and rewrites weights for the kernels that want it; what only they used is freed. */
const load = async <B>(device: Device<B>, setUp: Plan<B>, first: Plan<B>, held: ReadonlySet<Tensor>, memory: Memory<B>, weights: Weights): Promise<Either<Problem, ReadonlyMap<Tensor, B>>> => {
  const adapted = new Map<Tensor, B>()
  const users = new Map<Tensor, { readonly rewriters: readonly (readonly [Tensor, (b: B) => B])[]; readonly raw: boolean }>()
  const computedOnce = new Set(setUp.steps.map(step => step.node))
  for (const { node, kernel } of first.steps)
    node.inputs.forEach((x, i) => {
      if (!computedOnce.has(x)) return
      const known = users.get(x) ?? { rewriters: [], raw: held.has(x) }
      users.set(x, kernel.adapt?.input === i ? { ...known, rewriters: [...known.rewriters, [node, kernel.adapt.make]] } : { ...known, raw: true })
    })
  for (const { node, kernel, frees } of setUp.steps) {
    if (isOp(node, 'parameter')) {
      const values = await valuesOf(node, weights)
      if (values._tag === 'Left') {
        for (const buffer of adapted.values()) device.free(buffer)
        return values
      }
      memory.set(node, device.upload(values.right, [1, ...node.shape], 'float32'))
    } else if (isOp(node, 'constant')) memory.set(node, device.upload(node.attributes.data, [1, ...node.shape], node.dtype))
    else if (!isLeaf(node)) memory.run(node, kernel)
    const use = users.get(node)
    for (const [user, make] of use?.rewriters ?? []) adapted.set(user, make(memory.need(node)))
    memory.free(frees)
    if (use !== undefined && !use.raw && !setUp.steps.some(step => step.node.inputs.includes(node))) memory.free([node])
  }
  return right(adapted)
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
  values.length === sizeOf(shape) ? right(values) : left(problem('weightMisfit', `weights: '${name}' has ${values.length} values, but ${show(shape)} needs ${sizeOf(shape)}`))

