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
    ...sizes.flatMap((m): Case[] => {
      const panels = Math.ceil(n / 8) * 8
      return [
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
