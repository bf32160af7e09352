import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import type { DType, Shape } from '../../shape/shape.js'
import type { Values } from '../device.js'

/** The module, as the user's own copy of tfjs gives it. */
export type Tfjs = typeof import('@tensorflow/tfjs-core')

/**
 * Calls tfjs kernels by name, without the engine: no tape, no tidy, no active backend that another part of
 * the program might have changed. What it makes is ours to free, buffer by buffer.
 */
export class Workspace {
  private readonly scalars = new Map<number, TensorInfo>()
  private made: TensorInfo[] = []

  constructor(private readonly tf: Tfjs, readonly backend: KernelBackend, private readonly backendName: string) {}

  has(kernel: string): boolean {
    return this.tf.getKernel(kernel, this.backendName) !== undefined
  }

  /** Runs a kernel; the result belongs to the scope that is open (see {@link scope}). */
  call(kernel: string, inputs: Readonly<Record<string, TensorInfo | undefined>> | readonly TensorInfo[], attrs: object = {}): TensorInfo {
    return this.callAll(kernel, inputs, attrs)[0]!
  }

  /** The same for a kernel of several results. */
  callAll(kernel: string, inputs: Readonly<Record<string, TensorInfo | undefined>> | readonly TensorInfo[], attrs: object = {}): readonly TensorInfo[] {
    const found = this.tf.getKernel(kernel, this.backendName)
    if (found === undefined) throw new Error(`${this.backendName} has no kernel called ${kernel}`)
    const result = found.kernelFunc({ inputs: inputs as never, attrs: attrs as never, backend: this.backend })
    const all = Array.isArray(result) ? result : [result]
    this.made.push(...all)
    return all
  }

  /** Leaves a buffer to the scope that is open. */
  own(x: TensorInfo): TensorInfo {
    this.made.push(x)
    return x
  }

  reshape(x: TensorInfo, shape: Shape): TensorInfo {
    return this.call('Reshape', { x }, { shape: [...shape] })
  }

  /** A number as a tensor, kept for the life of the backend. */
  scalar(value: number): TensorInfo {
    const known = this.scalars.get(value)
    if (known !== undefined) return known
    const made = this.upload(Float32Array.of(value), [], 'float32')
    this.scalars.set(value, made)
    return made
  }

  upload(values: Values, shape: Shape, dtype: DType): TensorInfo {
    return { dataId: this.backend.write(values, [...shape], dtype), shape: [...shape], dtype }
  }

  free(x: TensorInfo): void {
    this.backend.disposeData(x.dataId)
  }

  /** Frees all that `f` made but its result. */
  scope(f: () => TensorInfo): TensorInfo {
    const outer = this.made
    this.made = []
    let kept: TensorInfo | undefined
    try {
      kept = f()
      return kept
    } finally {
      for (const x of this.made) if (x !== kept) this.free(x)
      this.made = outer
    }
  }
}
