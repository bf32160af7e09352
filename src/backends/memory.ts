import type { Tensor } from '../ops/tensor.js'
import type { Device, Kernel } from './device.js'

/**
 * The buffers of one pass over some nodes. Whatever happens, `release` frees all that is still held.
 */
export class Memory<B> {
  private readonly buffers = new Map<Tensor, B>()

  constructor(private readonly device: Pick<Device<B>, 'free'>, private readonly outer?: Memory<B>) {}

  get(node: Tensor): B | undefined {
    return this.buffers.get(node) ?? this.outer?.get(node)
  }

  need(node: Tensor): B {
    const buffer = this.get(node)
    if (buffer === undefined) throw new Error(`the plan used ${node.op} before it was made, or after it was freed`)
    return buffer
  }

  set(node: Tensor, buffer: B): void {
    this.buffers.set(node, buffer)
  }

  /**
   * Runs a kernel on nodes held here; an input is rewritten first where the kernel wants it so and it is not already.
   *
   * @param spare the place of an input that ends with this node
   */
  run(node: Tensor, kernel: Kernel<B>, adapted?: B, spare?: number): void {
    const inputs = node.inputs.map((x, i) => (adapted !== undefined && kernel.adapt?.input === i ? adapted : this.need(x)))
    const { adapt } = kernel
    if (adapt === undefined || adapted !== undefined) return this.set(node, kernel.run(inputs, spare))
    const rewritten = adapt.make(inputs[adapt.input] as B)
    try {
      this.set(node, kernel.run(inputs.map((x, i) => (i === adapt.input ? rewritten : x))))
    } finally {
      this.device.free(rewritten)
    }
  }

  /** Hands over a buffer that is held here, or nothing; it is the caller's to free from now on. */
  take(node: Tensor): B | undefined {
    const buffer = this.buffers.get(node)
    this.buffers.delete(node)
    return buffer
  }

  /** Frees some nodes, if they are held here. */
  free(nodes: Iterable<Tensor>): void {
    for (const node of nodes) {
      const buffer = this.buffers.get(node)
      if (buffer !== undefined) this.device.free(buffer)
      this.buffers.delete(node)
    }
  }

  release(): void {
    this.free([...this.buffers.keys()])
  }
}
