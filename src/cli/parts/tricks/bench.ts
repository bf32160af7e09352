import type { Either } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { map, type TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Backend, Values } from '../../../backends/device.js'
import { openSession } from '../../../backends/openSession.js'
import { gradient } from '../../../graph/gradient/gradient.js'
import { input, parameter } from '../../../ops/ops.js'
import type { Tensor } from '../../../ops/tensor.js'
import type { Problem } from '../../../shape/problem.js'
import type { Shape } from '../../../shape/shape.js'
import { Misread, type RecordedTensor } from './recorded.js'
import type { Check } from './trick.js'

/** A tensor to compute, and what was recorded of it. */
export interface Measured {
  readonly tensor: Tensor
  readonly recorded: ArrayLike<number>
  readonly near: Check['near']
  /** Only the first sample was recorded. */
  readonly isFirst?: boolean
}

/** A place to compute small graphs: tensors are given with their values, and others computed from them on a backend. */
export class Bench {
  private readonly inputs = new Map<string, { readonly node: Tensor; readonly values: Values }>()
  private readonly weights = new Map<string, Float32Array>()

  constructor(private readonly backend: Backend) {}

  /** A batched tensor: the first axis of what was recorded is the batch. */
  batched(name: string, { shape, data }: RecordedTensor): Tensor {
    return this.feed(input(name, shape.slice(1)), Float32Array.from(data))
  }

  /** A class number for each sample. */
  labels(name: string, labels: readonly number[]): Tensor {
    return this.feed(input(name, [], 'int32'), Int32Array.from(labels))
  }

  /** An unbatched tensor. */
  fixed(name: string, data: readonly number[], shape: Shape): Tensor<'parameter'> {
    this.weights.set(name, Float32Array.from(data))
    return parameter(name, shape, { kind: 'zeros' })
  }

  /** Values for an input or a parameter of a graph that there already is. */
  feed(node: Tensor, values: Values): Tensor {
    const { name } = node.attributes as Tensor<'input' | 'parameter'>['attributes']
    if (node.op === 'parameter') this.weights.set(name, values as Float32Array)
    else this.inputs.set(name, { node, values })
    return node
  }

  /** The slope of a loss along a tensor that it depends on. */
  slope(loss: Tensor, along: Tensor): Tensor {
    const found = gradient(loss, [along]).of.get(along)
    if (found === undefined) throw new Misread('a gradient was recorded of something that the loss does not depend on')
    return found
  }

  /** The values of tensors, all from one run. Errors: those of `openSession` and of its runs. */
  compute(outputs: Readonly<Record<string, Tensor>>): TaskEither<Problem, Readonly<Record<string, Float32Array>>> {
    return async () => {
      const given = [...this.inputs]
      const compute = { inputs: Object.fromEntries(given.map(([name, { node }]) => [name, node])), outputs }
      const session = await openSession({ compute }, { backend: this.backend, weights: this.weights })()
      if (session._tag === 'Left') return session
      const ran = await session.right.run('compute', Object.fromEntries(given.map(([name, { values }]) => [name, values])))()
      session.right.dispose()
      return ran as Either<Problem, Readonly<Record<string, Float32Array>>>
    }
  }

  /** Computes tensors and puts them beside what was recorded. Errors: those of {@link compute}. */
  measure(measured: Readonly<Record<string, Measured>>): TaskEither<Problem, Readonly<Record<string, Check>>> {
    const tensors = Object.fromEntries(Object.entries(measured).map(([key, { tensor }]) => [key, tensor]))
    const beside = (computed: Readonly<Record<string, Float32Array>>): Readonly<Record<string, Check>> =>
      Object.fromEntries(Object.entries(measured).map(([key, { recorded, near, isFirst }]) => [key, { ours: isFirst === true ? computed[key]!.slice(0, recorded.length) : computed[key]!, recorded, near }]))
    return pipe(this.compute(tensors), map(beside))
  }
}
