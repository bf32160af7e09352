import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { isOp, type Tensor } from '../ops/tensor.js'
import { problem, type Problem } from '../shape/problem.js'
import { show, sizeOf, type Shape } from '../shape/shape.js'
import type { Device } from './device.js'
import { Memory } from './memory.js'
import { plan, type Plan } from './plan.js'
import type { Prepared } from './prepare.js'

/** Where a model's weights come from: values by name, or a way to read one at a time. */
export type Weights = ReadonlyMap<string, Float32Array> | ((name: string, shape: Shape) => TaskEither<Problem, Float32Array>)

/** What a device holds for a session before its first run. */
export interface Loaded<B> {
  /** Parameters, constants and what follows from them, as the runs' kernels use them. */
  readonly memory: Memory<B>
  /** Weights in the form a node's kernel wants; nodes may share one. */
  readonly adapted: ReadonlyMap<Tensor, B>
  /** The bytes of all of them, for all routines together. */
  readonly bytes: number
}

/**
 * Reads all weights, computes what depends on the unchanging ones alone, and rewrites what kernels want otherwise.
 * Whatever goes wrong, what was loaded is freed.
 *
 * Errors: `missingKernels` (before any weight is read), `missingWeight`, `weightMisfit`, `loadFailed`; those of reading.
 *
 * @param runs a plan for each routine
 * @param outer where variables are already
 */
export const loadOnce = async <B>(device: Device<B>, { once, variables: all, routines }: Prepared, runs: readonly Plan<B>[], weights: Weights, outer?: Memory<B>): Promise<Either<Problem, Loaded<B>>> => {
  const variables = outer === undefined ? all : new Set<Tensor<'parameter'>>()
  const outputs = [...routines.values()].flatMap(routine => [...routine.kept])
  const users = usersOf(runs, new Set(once))
  const kept = new Set<Tensor>([...variables, ...outputs, ...users.raw])
  const setUp = plan(device, [...variables, ...once], kept, 1)
  if (setUp._tag === 'Left') return setUp
  const memory = new Memory(device, outer)
  const adapted = new Map<Tensor, B>()
  const failed = await load(device, setUp.right, users.rewriters, memory, adapted, weights)
  if (failed === undefined) return right({ memory, adapted, bytes: bytesOf([...variables, ...once].filter(n => kept.has(n))) + [...users.rewriters].reduce((sum, [n, of]) => sum + of.size * bytesOf([n]), 0) })
  for (const buffer of new Set(adapted.values())) device.free(buffer)
  memory.release()
  return left(failed)
}

const bytesOf = (nodes: readonly Tensor[]): number => nodes.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0)

/** A form of a weight: how it is made, and the nodes whose kernels want it. */
interface Form<B> {
  readonly make: (buffer: B) => B
  readonly users: readonly Tensor[]
}

/** How the nodes of every run use those computed once: as they are, or rewritten, by the name of the form or by the node alone. */
interface Users<B> {
  readonly raw: ReadonlySet<Tensor>
  readonly rewriters: ReadonlyMap<Tensor, ReadonlyMap<string | Tensor, Form<B>>>
}

const usersOf = <B>(runs: readonly Plan<B>[], once: ReadonlySet<Tensor>): Users<B> => {
  const raw = new Set<Tensor>()
  const rewriters = new Map<Tensor, Map<string | Tensor, Form<B>>>()
  for (const { node, kernel } of runs.flatMap(({ steps }) => steps))
    node.inputs.forEach((x, i) => {
      if (!once.has(x)) return
      if (kernel.adapt?.input !== i) return void raw.add(x)
      const { form = node, make } = kernel.adapt
      const forms = rewriters.get(x) ?? new Map<string | Tensor, Form<B>>()
      rewriters.set(x, forms.set(form, { make, users: [...(forms.get(form)?.users ?? []), node] }))
    })
  return { raw, rewriters }
}

const load = async <B>(device: Device<B>, setUp: Plan<B>, rewriters: Users<B>['rewriters'], memory: Memory<B>, adapted: Map<Tensor, B>, weights: Weights): Promise<Problem | undefined> => {
  const nextValues = oneAhead(setUp.steps.flatMap(({ node }) => (isOp(node, 'parameter') ? [node] : [])), weights)
  try {
    for (const { node, kernel, frees } of setUp.steps) {
      if (isOp(node, 'parameter')) {
        const values = await nextValues()
        if (values._tag === 'Left') return values.left
        memory.set(node, device.upload(values.right, [1, ...node.shape], 'float32'))
      } else if (isOp(node, 'constant')) memory.set(node, device.upload(node.attributes.data, [1, ...node.shape], node.dtype))
      else memory.run(node, kernel)
      for (const { make, users } of rewriters.get(node)?.values() ?? []) {
        const made = make(memory.need(node))
        for (const user of users) adapted.set(user, made)
      }
      memory.free(frees)
    }
    return undefined
  } catch (fault) {
    return problem('loadFailed', `compile: ${device.name} failed while weights were loaded: ${fault instanceof Error ? fault.message : String(fault)}`)
  }
}

/** Values of parameters, in order: each is read while the one before is uploaded and rewritten, so that a file keeps nobody waiting. */
const oneAhead = (nodes: readonly Tensor<'parameter'>[], weights: Weights): (() => Promise<Either<Problem, Float32Array>>) => {
  const begin = (at: number): Promise<Either<Problem, Float32Array>> | undefined => {
    const values = nodes[at] === undefined ? undefined : valuesOf(nodes[at], weights)
    // Nobody may ask for it any more, if something else fails first.
    values?.catch(() => undefined)
    return values
  }
  let at = 0
  let next = begin(at)
  return async () => {
    const values = await next!
    next = begin(++at)
    return values
  }
}

const valuesOf = async (node: Tensor<'parameter'>, weights: Weights): Promise<Either<Problem, Float32Array>> => {
  const { name } = node.attributes
  if (typeof weights === 'function') {
    const read = await weights(name, node.shape)()
    return read._tag === 'Left' ? read : fitting(name, node.shape, read.right)
  }
  const values = weights.get(name)
  return values === undefined ? left(problem('missingWeight', `weights: there is no '${name}' (${show(node.shape)})`, { remedy: 'initialWeights(model, seed) makes weights for a new model; a checkpoint must hold every parameter' })) : fitting(name, node.shape, values)
}

/** Values that fill a parameter's shape. */
export const fitting = (name: string, shape: Shape, values: Float32Array): Either<Problem, Float32Array> =>
  !(values instanceof Float32Array) ? left(problem('weightMisfit', `weights: '${name}' is no Float32Array`))
  : values.length === sizeOf(shape) ? right(values) : left(problem('weightMisfit', `weights: '${name}' has ${values.length} values, but ${show(shape)} needs ${sizeOf(shape)}`))
