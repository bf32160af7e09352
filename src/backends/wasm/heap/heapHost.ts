import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { KernelHost } from '../../tfjs/kernelHost.js'
import { assignmentCode } from '../kernels/assignmentCode.js'
import type { Inputs, Attributes } from '../kernels/implementation.js'
import { implementations } from '../kernels/implementations.js'
import { isShared } from '../kernels/instantiate.js'
import type { Kernels } from '../kernels/kernels.js'
import { RUN, sharedKernels, type NativeKernels } from '../kernels/native.js'
import { standard } from '../kernels/standard.js'
import { sizeOf } from '../kernels/axes.js'
import type { Heap } from './heap.js'
import type { Crew, SharedFunction } from './crew.js'

/** About how long an assignment takes for an element. */
const ASSIGNMENT_NANOSECONDS = 0.8
const LINE = 64
const BYTES = 4
const roundUp = (bytes: number): number => Math.ceil(bytes / LINE) * LINE

/** Where kernels are called by name on a heap of our own. */
export const heapHost = (name: string, heap: Heap, native: NativeKernels, relaxedSimd: boolean, crew: Crew | undefined): KernelHost => {
  let made: TensorInfo[] = []
  let spare: TensorInfo | undefined
  const scratch = { at: 0, bytes: 0, thread: 0, threadBytes: 0 }
  const release = (): void => {
    if (scratch.at !== 0) heap.release(scratch.at)
    scratch.at = scratch.bytes = 0
  }
  const numbers = new Map(sharedKernels.map((kernel, i) => [kernel, i]))
  const kernels: Kernels = {
    native,
    relaxedSimd,
    address: x => heap.address(x),
    values: x => heap.values(x),
    output: (shape, dtype) => {
      const fits = spare !== undefined && spare.dtype === (dtype ?? 'float32') && sizeOf(spare.shape) === sizeOf(shape) && heap.isAlone(spare)
      const x = fits ? heap.reshape(spare!, shape) : heap.tensor(shape, dtype)
      made.push(x)
      return x
    },
    scratch: (bytes, bytesPerThread = 0) => {
      const [own, each] = [roundUp(bytes), roundUp(bytesPerThread)]
      const whole = own + each * (crew?.size ?? 1)
      if (whole > scratch.bytes) {
        release()
        scratch.at = heap.allocate(whole, () => `${whole} bytes of scratch`)
        scratch.bytes = whole
      }
      scratch.thread = scratch.at + own
      scratch.threadBytes = each
      return scratch.at
    },
    writeInts: (at, values) => heap.writeInts(at, values),
    run: (kernel, units, nanoseconds, ...operands) => {
      if (units === 0) return
      if (crew?.run(numbers.get(kernel)!, units, nanoseconds, operands, scratch.thread, scratch.threadBytes) === true) return
      ;(native[kernel] as (...args: number[]) => void)(...operands, scratch.thread, 0, units)
    },
    release,
  }
  // Kept for good, as the module's own kernels are: an assignment of the same steps is the same code.
  const assignments = new Map<string, (units: number, nanoseconds: number, table: number) => void>()
  const compiled = (bytes: Uint8Array<ArrayBuffer>): ((units: number, nanoseconds: number, table: number) => void) => {
    const run = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory: heap.memory } }).exports.run as SharedFunction
    const at = crew === undefined ? 0 : heap.allocate(bytes.length, () => 'the code of an assignment')
    if (crew !== undefined) heap.writeBytes(at, bytes)
    const number = crew?.add(run)
    return (units, nanoseconds, table) => {
      if (crew?.run(number!, units, nanoseconds, [at, bytes.length, table], scratch.thread, 0) !== true) run(at, bytes.length, table, scratch.thread, 0, units)
    }
  }
  const table = new Map([...Object.entries(standard), ...Object.entries(implementations)])
  return {
    name,
    has: kernel => kernel === 'Reshape' || table.has(kernel),
    run: (kernel, inputs, attrs, given) => {
      if (kernel === 'Reshape') return [heap.reshape((inputs as Inputs).x!, (attrs as { readonly shape: readonly number[] }).shape)]
      made = []
      spare = given
      let kept: TensorInfo | undefined
      try {
        kept = table.get(kernel)!(kernels, inputs as Inputs, attrs as Attributes)
        return [kept]
      } finally {
        for (const x of made) if (x.dataId !== kept?.dataId) heap.free(x)
      }
    },
    assignment: how => {
      const bytes = assignmentCode(how, isShared(heap.memory))
      if (bytes === undefined) return undefined
      const key = JSON.stringify(how)
      const run = assignments.get(key) ?? compiled(bytes)
      assignments.set(key, run)
      return groups => {
        // A parameter that took a reshape of another's value has its memory, and so has a copy for each of one sample.
        for (const { targets } of groups) targets.forEach(x => heap.separate(x))
        const sizes = groups.map(({ targets }) => sizeOf(targets[0]!.shape))
        const units = sizes.map(size => Math.ceil(size / RUN))
        const ints = groups.flatMap(({ operands, targets }, i) => [BYTES * sizes[i]!, units[i]!, ...[...operands, ...targets].map(x => heap.address(x))])
        const at = kernels.scratch(BYTES * ints.length)
        heap.writeInts(at, ints)
        const total = (counts: readonly number[]): number => counts.reduce((sum, n) => sum + n, 0)
        run(total(units), ASSIGNMENT_NANOSECONDS * total(sizes), at)
      }
    },
    upload: (values, shape, dtype) => {
      const x = heap.tensor(shape, dtype)
      heap.values(x).set(values)
      return x
    },
    download: x => Promise.resolve(heap.values(x).slice()),
    free: x => heap.free(x),
    held: () => heap.held,
  }
}
