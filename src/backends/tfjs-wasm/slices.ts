import type { DataType, KernelBackend, TensorInfo } from '@tensorflow/tfjs-core'
import { sizeOf } from '../../shape/shape.js'
import { gatherByRows } from '../tfjs/rows.js'
import { byRows } from '../tfjs/cut.js'
import type { Tfjs } from '../tfjs/device.js'
import { bySlices } from '../tfjs/product.js'

/** The part of tfjs's wasm backend that is used here: all of it is public there. */
interface WasmBackend extends KernelBackend {
  readonly wasm: { cwrap(name: string, result: null, operands: readonly string[]): (...operands: unknown[]) => void }
  readonly dataIdMap: { get(dataId: object): { readonly id: number; memoryOffset: number } }
  makeOutput(shape: number[], dtype: DataType, memoryOffset?: number): TensorInfo
  typedArrayFromHeap(tensor: TensorInfo): Float32Array | Int32Array
}

/** tfjs's own product; it is fast where it multiplies two matrices, neither of them transposed. */
type Multiply = (a: number, aShape: Uint8Array, aRank: number, b: number, bShape: Uint8Array, bRank: number, transposeA: number, transposeB: number, out: number) => void

const shapeBytes = (shape: readonly number[]): Uint8Array => new Uint8Array(Int32Array.from(shape).buffer)

/**
 * Many products as one fast one after the other: `a [..., rows, inner]`, `b [..., inner, columns]` → `[..., rows, columns]`,
 * the leading axes the same. Each matrix is told to tfjs as a tensor that lies within the whole, so nothing is copied.
 */
const productBySlices = (backend: WasmBackend, multiply: Multiply, a: TensorInfo, b: TensorInfo): TensorInfo => {
  const [rows, inner, columns] = [a.shape.at(-2)!, a.shape.at(-1)!, b.shape.at(-1)!]
  const out = backend.makeOutput([...a.shape.slice(0, -1), columns], 'float32')
  const parts = [a, b, out].map((x, i) => {
    const shape = [[1, rows, inner], [1, inner, columns], [1, rows, columns]][i]!
    return { at: backend.dataIdMap.get(x.dataId).memoryOffset >>> 0, shape, bytes: 4 * sizeOf(shape), told: shapeBytes(shape) }
  })
  for (let i = 0; i < sizeOf(a.shape.slice(0, -2)); i++) {
    const views = parts.map(({ at, shape, bytes }) => backend.makeOutput(shape, 'float32', at + i * bytes))
    const [left, right, result] = views.map(view => backend.dataIdMap.get(view.dataId).id) as [number, number, number]
    multiply(left, parts[0]!.told, 3, right, parts[1]!.told, 3, 0, 0, result)
    for (const { dataId } of views) {
      // The memory is that of the whole: to be forgotten here, not freed.
      backend.dataIdMap.get(dataId).memoryOffset = 0
      backend.disposeData(dataId)
    }
  }
  return out
}

/** A part of a tensor, copied run by run of what lies together; tfjs's own kernel copies the whole tensor first. */
const sliceByRows = (backend: WasmBackend, x: TensorInfo, begin: readonly number[], size: readonly number[]): TensorInfo => {
  const out = backend.makeOutput([...size], x.dtype)
  const [from, into] = [backend.typedArrayFromHeap(x), backend.typedArrayFromHeap(out)]
  // From this axis on all is taken: what follows one place of it lies together.
  let whole = x.shape.length
  while (whole > 0 && begin[whole - 1] === 0 && size[whole - 1] === x.shape[whole - 1]) whole--
  const outer = Math.max(0, whole - 1)
  const each = sizeOf(x.shape.slice(outer + 1))
  const run = sizeOf(size.slice(outer))
  for (let at = 0, place = 0; at < into.length; at += run, place++) {
    let [rest, offset, stride] = [place, (begin[outer] ?? 0) * each, sizeOf(x.shape.slice(outer))]
    for (let axis = outer - 1; axis >= 0; axis--) {
      offset += (begin[axis]! + (rest % size[axis]!)) * stride
      rest = Math.floor(rest / size[axis]!)
      stride *= x.shape[axis]!
    }
    into.set(from.subarray(offset, offset + run), at)
  }
  return out
}

/** Rows of `x [rows, ...]` by number, `indices [count]` → `[count, ...]`. */
const gather = (backend: WasmBackend, x: TensorInfo, indices: TensorInfo): TensorInfo => {
  const [rest, numbers] = [x.shape.slice(1), sizeOf(indices.shape)]
  const width = sizeOf(rest)
  const out = backend.makeOutput([numbers, ...rest], x.dtype)
  const [from, into, at] = [x, out, indices].map(t => backend.typedArrayFromHeap(t)) as [Float32Array, Float32Array, Int32Array]
  for (let i = 0; i < numbers; i++) into.set(from.subarray(at[i]! * width, (at[i]! + 1) * width), i * width)
  return out
}

/**
 * Three kernels for a tfjs wasm backend where our own module cannot run, made of nothing but what tfjs has: so that no large
 * product falls to its scalar loop. Does nothing where they are there already.
 *
 * Worth, in processor time: ViT-Ti runs 2.9 times faster than tfjs as its users write it, with eight images 11, Swin-T 12.
 */
export const registerSlices = (tf: Tfjs): void => {
  if (tf.getKernel(bySlices, 'wasm') !== undefined) return
  const multiplies = new WeakMap<object, Multiply>()
  const multiplyOf = (backend: WasmBackend): Multiply => {
    const known = multiplies.get(backend) ?? (backend.wasm.cwrap('BatchMatMul', null, ['number', 'array', 'number', 'number', 'array', 'number', 'number', 'number', 'number']) as Multiply)
    multiplies.set(backend, known)
    return known
  }
  tf.registerKernel({
    kernelName: bySlices,
    backendName: 'wasm',
    kernelFunc: ({ inputs, backend }) => productBySlices(backend as WasmBackend, multiplyOf(backend as WasmBackend), inputs.a as TensorInfo, inputs.b as TensorInfo),
  })
  tf.registerKernel({
    kernelName: gatherByRows,
    backendName: 'wasm',
    kernelFunc: ({ inputs, backend }) => gather(backend as WasmBackend, inputs.x as TensorInfo, inputs.indices as TensorInfo),
  })
  tf.registerKernel({
    kernelName: byRows,
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs, backend }) => sliceByRows(backend as WasmBackend, inputs.x as TensorInfo, attrs!.begin as readonly number[], attrs!.size as readonly number[]),
  })
}
