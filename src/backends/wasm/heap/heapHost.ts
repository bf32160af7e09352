import type { TensorInfo } from '@tensorflow/tfjs-core'
import type { KernelHost } from '../../tfjs/kernelHost.js'
import type { Inputs, Attributes } from '../kernels/implementation.js'
import { implementations } from '../kernels/implementations.js'
import type { Kernels } from '../kernels/kernels.js'
import { sharedKernels, type NativeKernels } from '../kernels/native.js'
import { standard } from '../kernels/standard.js'
import { sizeOf } from '../../../shape/shape.js'
import { roundUp } from './allocator.js'
import { assignmentsOn } from './assignmentsOn.js'
import type { Heap } from './heap.js'
import type { Crew } from './crew.js'

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
    assignment: assignmentsOn({ heap, kernels, crew, threadScratch: () => scratch.thread }),
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
