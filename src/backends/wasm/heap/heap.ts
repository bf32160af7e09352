import type { DataType, TensorInfo } from '@tensorflow/tfjs-core'
import type { Held, Values } from '../../device.js'
import { sizeOf } from '../../../shape/shape.js'
import { showShape } from '../kernels/axes.js'
import { Allocator } from './allocator.js'

const PAGE = 65536
const PAGES = 65536
/** A step of growth; what is not touched takes no memory of the machine. */
const STEP = 16 * 2 ** 20
const BYTES = 4

/** A block of memory that tensors of several shapes may share. */
interface Storage {
  readonly at: number
  /** How many tensors have it. */
  holders: number
}

/** A tensor on our heap. It has the form of a tfjs tensor's record, so that lowerings need not know where they run. */
interface HeapTensor extends TensorInfo {
  dataId: Storage
}

/**
 * Tensors in a WebAssembly memory of our own: shared where the runtime lets threads share memory, and never beyond 4 GiB.
 */
export class Heap {
  private bytes: ArrayBuffer | SharedArrayBuffer
  private floats: Float32Array
  private ints: Int32Array
  private readonly allocator: Allocator
  private tensors = 0

  constructor(readonly memory: WebAssembly.Memory) {
    this.bytes = memory.buffer
    this.floats = new Float32Array(this.bytes)
    this.ints = new Int32Array(this.bytes)
    // Address 0 is nobody's: kernels take it for an operand that is absent.
    this.allocator = new Allocator(1, this.bytes.byteLength, bytes => this.grow(bytes))
  }

  /** Tensors, and bytes with what kernels keep as scratch. */
  get held(): Held {
    return { buffers: this.tensors, bytes: this.allocator.statistics }
  }

  /** The address of a block of memory. Throws where memory is full, and says what it was for. */
  allocate(bytes: number, use: () => string): number {
    const at = this.allocator.allocate(bytes)
    if (at === undefined) throw new Error(`no memory left for ${use()}`)
    return at
  }

  release(at: number): void {
    this.allocator.release(at)
  }

  /** A new tensor, contents undefined. Throws where memory is full. */
  tensor(shape: readonly number[], dtype: DataType = 'float32'): HeapTensor {
    const at = this.allocate(sizeOf(shape) * BYTES, () => `a tensor of shape ${showShape(shape)}`)
    this.tensors++
    return { dataId: { at, holders: 1 }, shape: [...shape], dtype }
  }

  address({ dataId }: TensorInfo): number {
    return (dataId as Storage).at
  }

  /** The same numbers in another shape: nothing is copied. */
  reshape(x: TensorInfo, shape: readonly number[]): HeapTensor {
    if (sizeOf(shape) !== sizeOf(x.shape)) throw new Error(`Reshape: ${showShape(x.shape)} does not have the elements of ${showShape(shape)}`)
    const dataId = x.dataId as Storage
    dataId.holders++
    return { dataId, shape: [...shape], dtype: x.dtype }
  }

  /** Whether no other tensor has the memory of this one. */
  isAlone({ dataId }: TensorInfo): boolean {
    return (dataId as Storage).holders === 1
  }

  /** Gives a tensor memory of its own with the same numbers, if others have its memory: what is written to it then is its own. */
  separate(x: TensorInfo): void {
    if (this.isAlone(x)) return
    const copy = this.tensor(x.shape, x.dtype)
    this.values(copy).set(this.values(x))
    this.free(x)
    ;(x as HeapTensor).dataId = copy.dataId
  }

  free({ dataId }: TensorInfo): void {
    const storage = dataId as Storage
    storage.holders--
    if (storage.holders > 0) return
    this.release(storage.at)
    this.tensors--
  }

  /** The numbers of a tensor, where they are. Valid until memory grows. */
  values(x: TensorInfo): Values {
    const first = this.address(x) / BYTES
    return (x.dtype === 'int32' ? this.ints : this.floats).subarray(first, first + sizeOf(x.shape))
  }

  writeInts(at: number, values: readonly number[]): void {
    this.ints.set(values, at / BYTES)
  }

  /** Writes bytes where {@link allocate} found room. */
  writeBytes(at: number, values: Uint8Array): void {
    new Uint8Array(this.bytes).set(values, at)
  }

  private grow(bytes: number): number | undefined {
    const pages = Math.ceil(bytes / PAGE)
    if (!this.hasGrown(Math.max(pages, STEP / PAGE)) && !this.hasGrown(pages)) return undefined
    this.bytes = this.memory.buffer
    this.floats = new Float32Array(this.bytes)
    this.ints = new Int32Array(this.bytes)
    return this.bytes.byteLength
  }

  private hasGrown(pages: number): boolean {
    try {
      this.memory.grow(pages)
      return true
    } catch {
      return false
    }
  }
}

/** An empty memory, shared where that is possible; where as much cannot be promised, less. Throws where none is to be had. */
export const newMemory = (): WebAssembly.Memory => {
  const tries = [true, false].flatMap(shared => [PAGES, PAGES / 2, PAGES / 4].map(maximum => ({ shared, maximum }))).filter(({ shared }) => !shared || typeof SharedArrayBuffer !== 'undefined')
  for (const { shared, maximum } of tries) {
    try {
      return new WebAssembly.Memory({ initial: STEP / PAGE, maximum, shared })
    } catch {
      continue
    }
  }
  return new WebAssembly.Memory({ initial: STEP / PAGE, maximum: PAGES / 8 })
}
