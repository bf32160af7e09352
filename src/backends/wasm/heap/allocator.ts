/** What an allocator has handed out, in bytes. */
export interface HeapStatistics {
  /** What is in use. */
  readonly live: number
  /** The most that ever was. */
  readonly peak: number
  /** How far the heap reaches. */
  readonly reserved: number
}

/** Blocks begin at multiples of a cache line. */
const LINE = 64

/**
 * Hands out blocks of an address space that can be extended: the smallest free block that fits, the first of several;
 * neighbouring free blocks are one. The same requests always get the same addresses.
 */
export class Allocator {
  /** Free blocks by address; no two touch. */
  private readonly starts: number[] = []
  private readonly sizes: number[] = []
  private readonly blocks = new Map<number, number>()
  private live = 0
  private peak = 0

  /**
   * @param begin the first address to hand out
   * @param end where the space ends
   * @param extend makes the space at least so many bytes longer and gives its new end, or nothing where it cannot
   */
  constructor(begin: number, private end: number, private readonly extend: (bytes: number) => number | undefined) {
    const start = roundUp(begin)
    if (end > start) this.insert(start, end - start)
  }

  /** The address of a block of at least so many bytes, or nothing where memory is full. */
  allocate(bytes: number): number | undefined {
    const size = Math.max(LINE, roundUp(bytes))
    let best = this.fitting(size)
    if (best === -1) {
      const last = this.starts.length - 1
      const atEnd = last >= 0 && this.starts[last]! + this.sizes[last]! === this.end ? this.sizes[last]! : 0
      const extended = this.extend(size - atEnd)
      if (extended === undefined) return undefined
      this.insert(this.end, extended - this.end)
      this.end = extended
      best = this.fitting(size)
    }
    const at = this.starts[best]!
    if (this.sizes[best] === size) {
      this.starts.splice(best, 1)
      this.sizes.splice(best, 1)
    } else {
      this.starts[best] = at + size
      this.sizes[best]! -= size
    }
    this.blocks.set(at, size)
    this.live += size
    this.peak = Math.max(this.peak, this.live)
    return at
  }

  /** Takes a block back. */
  release(at: number): void {
    const size = this.blocks.get(at)
    if (size === undefined) throw new Error(`wasm heap: there is no block at ${at}`)
    this.blocks.delete(at)
    this.live -= size
    this.insert(at, size)
  }

  get statistics(): HeapStatistics {
    return { live: this.live, peak: this.peak, reserved: this.end }
  }

  private fitting(size: number): number {
    let best = -1
    for (let i = 0; i < this.sizes.length; i++) if (this.sizes[i]! >= size && (best === -1 || this.sizes[i]! < this.sizes[best]!)) best = i
    return best
  }

  private insert(at: number, size: number): void {
    let i = this.starts.length
    while (i > 0 && this.starts[i - 1]! > at) i--
    const joinsBefore = i > 0 && this.starts[i - 1]! + this.sizes[i - 1]! === at
    const joinsAfter = i < this.starts.length && at + size === this.starts[i]
    if (joinsBefore) {
      this.sizes[i - 1]! += size
      if (joinsAfter) {
        this.sizes[i - 1]! += this.sizes[i]!
        this.starts.splice(i, 1)
        this.sizes.splice(i, 1)
      }
    } else if (joinsAfter) {
      this.starts[i] = at
      this.sizes[i]! += size
    } else {
      this.starts.splice(i, 0, at)
      this.sizes.splice(i, 0, size)
    }
  }
}

/** So many bytes as whole cache lines. */
export const roundUp = (bytes: number): number => Math.ceil(bytes / LINE) * LINE
