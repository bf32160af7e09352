import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { DType, Shape } from '../../shape/shape.js'
import type { Values } from '../device.js'
import type { KernelHost, KernelInputs } from './kernelHost.js'

/** Where lowerings call kernels by name. What they make on the way is freed when their scope ends. */
export class Workspace {
  private readonly scalars = new Map<number, TensorInfo>()
  private made: TensorInfo[] = []
  private spare: TensorInfo | undefined

  constructor(private readonly host: KernelHost) {}

  has(kernel: string): boolean {
    return this.host.has(kernel)
  }

  /** Runs a kernel; the result belongs to the scope that is open (see {@link scope}). */
  call(kernel: string, inputs: KernelInputs, attrs: object = {}): TensorInfo {
    return this.callAll(kernel, inputs, attrs)[0]!
  }

  /** The same for a kernel of several results. */
  callAll(kernel: string, inputs: KernelInputs, attrs: object = {}): readonly TensorInfo[] {
    if (!this.host.has(kernel)) throw new Error(`${this.host.name} has no kernel called ${kernel}`)
    const all = this.host.run(kernel, inputs, attrs, this.spare)
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
    return this.host.upload(values, shape, dtype)
  }

  free(x: TensorInfo): void {
    this.host.free(x)
  }

  /**
   * Frees all that `f` made but its result.
   *
   * @param spare a tensor whose memory the result may share
   */
  scope(f: () => TensorInfo, spare?: TensorInfo): TensorInfo {
    const outer = this.made
    this.made = []
    this.spare = spare
    let kept: TensorInfo | undefined
    try {
      kept = f()
      return kept
    } finally {
      for (const x of this.made) if (x !== kept) this.free(x)
      this.made = outer
      this.spare = undefined
    }
  }
}
