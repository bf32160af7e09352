import type { TensorInfo } from '@tensorflow/tfjs-core'
import { sizeOf } from '../../../shape/shape.js'
import type { Device } from '../../device.js'
import { assignmentCode } from '../kernels/assignmentCode.js'
import { isShared } from '../kernels/instantiate.js'
import type { Kernels } from '../kernels/kernels.js'
import { RUN } from '../kernels/native.js'
import type { Crew, SharedFunction } from './crew.js'
import type { Heap } from './heap.js'

/** About how long an assignment takes for an element. */
const NANOSECONDS = 0.8
const BYTES = 4

/** Where assignments are done. */
interface Place {
  readonly heap: Heap
  readonly kernels: Kernels
  readonly crew: Crew | undefined
  /** Where the scratch of the threads begins at the moment. */
  readonly threadScratch: () => number
}

/** Does all units of an assignment whose groups are listed at an address. */
type Run = (units: number, nanoseconds: number, table: number) => void

/** Assignments in place on a heap of our own (see {@link Device.assignment}), by all threads. */
export const assignmentsOn = ({ heap, kernels, crew, threadScratch }: Place): NonNullable<Device<TensorInfo>['assignment']> => {
  // Kept for good, as the module's own kernels are: an assignment of the same steps is the same code.
  const known = new Map<string, Run>()
  const compiled = (bytes: Uint8Array<ArrayBuffer>): Run => {
    const run = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory: heap.memory } }).exports.run as SharedFunction
    const at = crew === undefined ? 0 : heap.allocate(bytes.length, () => 'the code of an assignment')
    if (crew !== undefined) heap.writeBytes(at, bytes)
    const number = crew?.add(run)
    return (units, nanoseconds, table) => {
      if (crew?.run(number!, units, nanoseconds, [at, bytes.length, table], threadScratch(), 0) !== true) run(at, bytes.length, table, threadScratch(), 0, units)
    }
  }
  return how => {
    const bytes = assignmentCode(how, isShared(heap.memory))
    if (bytes === undefined) return undefined
    const key = JSON.stringify(how)
    const run = known.get(key) ?? compiled(bytes)
    known.set(key, run)
    return groups => {
      // A parameter that took a reshape of another's value has its memory, and so has a copy for each of one sample.
      for (const { targets } of groups) targets.forEach(x => heap.separate(x))
      const sizes = groups.map(({ targets }) => sizeOf(targets[0]!.shape))
      const units = sizes.map(size => Math.ceil(size / RUN))
      const ints = groups.flatMap(({ operands, targets }, i) => [BYTES * sizes[i]!, units[i]!, ...[...operands, ...targets].map(x => heap.address(x))])
      const at = kernels.scratch(BYTES * ints.length)
      heap.writeInts(at, ints)
      const total = (counts: readonly number[]): number => counts.reduce((sum, n) => sum + n, 0)
      run(total(units), NANOSECONDS * total(sizes), at)
    }
  }
}
