import { describe, expect, it } from 'vitest'
import { instantiateOn } from '../../../src/backends/wasm/kernels/instance.js'
import type { NativeKernels } from '../../../src/backends/wasm/kernels/native.js'
import { binaries } from './support.js'

const PAGE = 65536
const PAGES = 4
const CANARY = 12345.5

/** One call of a kernel: how many floats each operand has, and the call given the operands' addresses. */
interface Case {
  readonly name: string
  readonly floats: readonly number[]
  readonly call: (native: NativeKernels, ...at: number[]) => void
}

const sizes = [1, 2, 3, 4, 5, 8, 9, 17]
const cases = (native: NativeKernels): Case[] =>
  sizes.flatMap((n): Case[] => [
    { name: `unary ${n}`, floats: [n, n], call: (k, x, y) => k.unary(x!, y!, n, 1) },
    { name: `softmax 2×${n}`, floats: [2 * n, 2 * n], call: (k, x, y) => k.softmax(x!, y!, 2, n, 1) },
    {
      name: `layerNorm 2×${n}`,
      floats: [2 * n, n, n, 2 * n],
      call: (k, x, gamma, beta, y) => k.layerNorm(x!, gamma!, beta!, y!, 2, n, 1),
    },
    { name: `geluGradient ${n}`, floats: [n, n, n], call: (k, x, dy, dx) => k.geluGradient(x!, dy!, dx!, n, 1) },
    { name: `softmaxGradient 2×${n}`, floats: [2 * n, 2 * n, 2 * n], call: (k, y, dy, dx) => k.softmaxGradient(y!, dy!, dx!, 2, n) },
    { name: `layerNormGradient 2×${n}`, floats: [2 * n, 2 * n, n, 2 * n], call: (k, x, dy, gamma, dx) => k.layerNormGradient(x!, dy!, gamma!, dx!, 2, n, 1) },
    ...convolutions(n),
    ...sizes.flatMap((m): Case[] => {
      const panels = Math.ceil(n / 8) * 8
      return [
        { name: `sumAxis 2×${m}×${n}`, floats: [2 * m * n, 2 * n], call: (k, x, y) => k.sumAxis(x!, y!, 2, m, n, 1) },
        ...[3, 770].map((rows): Case => ({
          name: `weightGradient ${m}×${rows}×${n}`,
          floats: [rows * m, rows * n, m * n, native.weightGradientScratchBytes(m, n, rows) / 4],
          call: (k, dy, x, dw, scratch) => k.weightGradient(dy!, m, x!, n, dw!, rows, m, n, 1, scratch!),
        })),
        { name: `pack ${m}×${n}`, floats: [m * n, panels * m], call: (k, b, p) => k.pack(b!, m, n, n, 1, p!) },
        { name: `pack (${n}×${m})ᵀ`, floats: [m * n, panels * m], call: (k, b, p) => k.pack(b!, m, n, 1, m, p!) },
        ...[3, 770].map((depth): Case => ({
          name: `gemm ${m}×${depth}×${n}`,
          floats: [m * depth, panels * depth, n, m * n, m * n, native.gemmScratchBytes(m, depth) / 4],
          call: (k, a, p, bias, residual, out, scratch) =>
            k.gemm(a!, m, depth, depth, 1, p!, n, bias!, 1, residual!, out!, scratch!),
        })),
        {
          name: `transpose ${m}×${n}`,
          floats: [m * n, m * n, 18],
          call: (k, x, y, plan) => k.stridedCopy(x!, y!, plan!),
        },
        ...[3, 8].map((d): Case => ({
          name: `attention ${m} queries, ${n} keys, ${d}`,
          floats: [2 * m * d, 2 * n * d, 2 * n * d, 2 * m * n, 2 * m * d, native.attentionScratchBytes(n, d) / 4],
          call: (native, q, k, v, bias, out, scratch) =>
            native.attention(
              q!, k!, v!, bias!, out!, scratch!, 2, m, n, d, 1,
              d, m * d, d, n * d, d, n * d, d, m * d, m * n, n,
            ),
        })),
      ]
    }),
  ])

/** Over 4×3 images of `n` channels, 2×3 windows that reach beyond every edge. */
const convolutions = (n: number): Case[] => {
  const [image, result, filter, columns] = [12 * n, 12 * n, 6 * n, 12 * 6 * n]
  return [
    { name: `geometry imageToColumns ${n}`, floats: [image, columns, 11], call: (k, x, y, g) => k.imageToColumns(x!, y!, g!, n) },
    { name: `geometry columnsToImage ${n}`, floats: [columns, image, 11], call: (k, x, y, g) => k.columnsToImage(x!, y!, g!, n) },
    { name: `zero ${n}`, floats: [n], call: (k, x) => k.zero(x!, n) },
    { name: `geometry depthwiseInputGradient ${n}`, floats: [result, filter, image, 11], call: (k, dy, w, dx, g) => k.depthwiseInputGradient(dy!, w!, dx!, g!) },
    { name: `geometry depthwiseWeightGradient ${n}`, floats: [image, result, filter, 11], call: (k, x, dy, dw, g) => k.depthwiseWeightGradient(x!, dy!, dw!, g!) },
    { name: `geometry maxPoolGradient ${n}`, floats: [image, result, image, 11], call: (k, x, dy, dx, g) => k.maxPoolGradient(x!, dy!, dx!, g!) },
  ]
}

describe.each(binaries)('bounds, $name', ({ relaxedSimd }) => {
  it('nothing is touched outside the operands and the scratch asked for', () => {
    const memory = new WebAssembly.Memory({ initial: PAGES, maximum: 65536 })
    const native = instantiateOn(memory, relaxedSimd)
    const all = new Float32Array(memory.buffer)
    const end = PAGES * PAGE
    for (const { name, floats, call } of cases(native)) {
      // each operand in turn ends where memory ends: one float further is a trap
      for (let last = 0; last < floats.length; last++) {
        all.fill(CANARY)
        let free = 1024
        const at = floats.map((count, i) => {
          if (i === last) return end - count * 4
          free += count * 4 + 256
          return free - count * 4
        })
        const transposeSizes = /^transpose (\d+)×(\d+)/.exec(name)?.slice(1).map(Number)
        if (transposeSizes) {
          const [m, n] = transposeSizes as [number, number]
          new Int32Array(memory.buffer, at[2], 18).set([1, 1, 1, 1, n, m, 0, 0, 0, 0, 1, n, 0, 0, 0, 0, m, 1])
        }
        if (name.startsWith('geometry')) new Int32Array(memory.buffer, at.at(-1), 11).set([4, 3, floats[0]! / (name.includes('columnsToImage') ? 72 : 12), 2, 3, 1, 1, 1, 1, 4, 3])
        try {
          call(native, ...at)
        } catch (error) {
          throw new Error(`${name}, operand ${last} at the end of memory: ${String(error)}`, { cause: error })
        }
        const inside = new Uint8Array(end / 4)
        at.forEach((start, i) => inside.fill(1, start / 4, start / 4 + floats[i]!))
        const touched = all.findIndex((value, i) => inside[i] === 0 && value !== CANARY)
        if (touched >= 0) expect.fail(`${name}: wrote ${touched * 4} outside ${at.join(', ')}`)
      }
    }
  }, 60_000)
})
