import { describe, expect, it } from 'vitest'
import { bytesFor, instantiate } from '../../../src/backends/wasm/kernels/instantiate.js'
import { SQUARE_RUN, type NativeKernels, type Share, type SharedKernel } from '../../../src/backends/wasm/kernels/native.js'
import { binaries } from './support.js'

const PAGE = 65536
const PAGES = 4
const CANARY = 12345.5

/** A kernel, its operands and how its work is counted. */
interface Case {
  readonly kernel: SharedKernel
  /** An operand is memory of so many floats, or of int32 that it finds there, or a number given as it is. */
  readonly operands: readonly (Floats | Ints | number)[]
  readonly units: number
  /** Memory that the kernel finds by an address among its int32. */
  readonly beside?: readonly Floats[]
  /** Floats of scratch. */
  readonly scratch?: number
}
interface Floats {
  readonly floats: number
}
interface Ints {
  readonly ints: readonly (number | AddressOf)[]
}
/** Where a piece of the memory beside the operands lies. */
interface AddressOf {
  readonly beside: number
}

const f = (floats: number): Floats => ({ floats })
const i = (...ints: readonly (number | AddressOf)[]): Ints => ({ ints })
const sizes = [1, 2, 3, 4, 5, 8, 9, 17]
const up = (n: number, to: number): number => Math.ceil(n / to) * to

const cases = (native: NativeKernels, tileRows: number): Case[] =>
  sizes.flatMap((n): Case[] => [
    ...Array.from({ length: 16 }, (_, fn): Case => ({ kernel: 'unary', operands: [f(n), f(n), n, fn + 1], units: 1 })),
    ...[[1, 1], [1, 0], [0, 1]].map(([a, b]): Case => ({ kernel: 'binary', operands: [f(a === 1 ? 3 * n : 1), f(b === 1 ? n : 3), f(3 * n), i(n, a!, b!, 1, 3, a! * n, 1 - b!), 3], units: 3 })),
    { kernel: 'softmax', operands: [f(2 * n), f(2 * n), n, 1], units: 2 },
    { kernel: 'layerNorm', operands: [f(2 * n), f(n), f(n), f(2 * n), n, 1], units: 2 },
    { kernel: 'geluGradient', operands: [f(n), f(n), f(n), n, 1], units: 1 },
    { kernel: 'softmaxGradient', operands: [f(2 * n), f(2 * n), f(2 * n), n], units: 2 },
    { kernel: 'layerNormGradient', operands: [f(2 * n), f(2 * n), f(n), f(2 * n), n, 1], units: 2 },
    { kernel: 'fill', operands: [f(n), n, 1], units: 1 },
    { kernel: 'squareSums', operands: [i({ beside: 0 }, n, { beside: 1 }, SQUARE_RUN + n), f(3)], units: 3, beside: [f(n), f(SQUARE_RUN + n)] },
    { kernel: 'gatherRows', operands: [f(3 * n), i(2, 0), f(2 * n), n], units: 2 },
    { kernel: 'scatterAdd', operands: [f(2 * n), i(2, 0), f(3 * n), 2, n], units: Math.ceil(n / 16) },
    ...convolutions(n, tileRows),
    ...sizes.flatMap((m): Case[] => [
      { kernel: 'channelMoments', operands: [f(2 * m * n), f(2 * 2 * n), m, n], units: 2 * Math.ceil(n / 16) },
      { kernel: 'groupNorm', operands: [f(2 * m * n), f(2 * 2 * n), f(n), f(n), f(2 * m * n), m, n, n % 2 === 0 ? 2 : 1, 1, 4], units: 2 * Math.ceil(m / 16), scratch: native.groupNormScratchBytes(n) / 4 },
      { kernel: 'channelSlopes', operands: [f(2 * m * n), f(2 * m * n), f(2 * 2 * n), f(2 * 2 * n), m, n], units: 2 * Math.ceil(n / 16) },
      { kernel: 'groupNormGradient', operands: [f(2 * m * n), f(2 * m * n), f(2 * 2 * n), f(2 * 2 * n), f(n), f(2 * m * n), m, n, n % 2 === 0 ? 2 : 1, 1], units: 2 * Math.ceil(m / 16), scratch: native.groupNormGradientScratchBytes(n) / 4 },
      { kernel: 'sumAxis', operands: [f(2 * m * n), f(2 * n), m, n, 1], units: n === 1 ? 2 : 2 * Math.ceil(n / 8) },
      { kernel: 'maxAxis', operands: [f(2 * m * n), f(2 * n), m, n], units: n === 1 ? 2 : 2 * Math.ceil(n / 4) },
      { kernel: 'packRight', operands: [f(m * n), m, n, n, 1, f(up(n, 8) * m)], units: Math.ceil(n / 8) },
      { kernel: 'packRight', operands: [f(m * n), m, n, 1, m, f(up(n, 8) * m)], units: Math.ceil(n / 8) },
      { kernel: 'packLeft', operands: [f(m * n), m, n, n, 1, f(up(m, tileRows) * n)], units: Math.ceil(m / 12) },
      { kernel: 'packLeft', operands: [f(m * n), m, n, 1, m, f(up(m, tileRows) * n)], units: Math.ceil(m / 12) },
      ...[3, 770].map((depth): Case => ({
        kernel: 'multiply',
        operands: [f(up(m, tileRows) * depth), m, depth, f(up(n, 8) * depth), n, f(n), 1, f(m * n), f(m * n), n, 1],
        units: native.multiplyUnits(m, n),
        scratch: 24 * 8,
      })),
      { kernel: 'products', operands: [f(2 * m * 5), f(5 * n), f(2 * m * n), i(0, 0, 1, 0), m, 5, n, 5, 1, n, 1], units: 2, scratch: native.productsScratchBytes(m, 5, n) / 4 },
      // the root of (x [m, n] + y [n]) times a number: an operand as it lies, one repeated, and a single one
      {
        kernel: 'elementwise',
        operands: [i(m * n, 3, 3, { beside: 0 }, 1, m * n, 1, 1, { beside: 1 }, 1, n, m, 1, { beside: 2 }, m * n, 1, 1, 1, 0, 0, 1, 2, 3, 2, 16 + 9, 4, 4), f(m * n)],
        beside: [f(m * n), f(n), f(1)],
        units: 1,
        scratch: native.elementwiseScratchBytes(3, 3) / 4,
      },
      { kernel: 'stridedCopy', operands: [f(2 * m * n), f(2 * m * n), i(n, m, 1, n, m, 1, 2, m * n, m * n)], units: 2 * n },
      ...[1, n].map((d): Case => ({
        kernel: 'packedAttentionGradient',
        operands: [f(12 * m * d), f(4 * m * d), f(2 * m * m), i(0, 0), f(12 * m * d + 4 * m * m), 2, m, d, 1, 1],
        units: 4,
        scratch: native.packedAttentionGradientScratchBytes(m, d) / 4,
      })),
      ...[3, 8].map((d): Case => ({
        kernel: 'attention',
        operands: [f(2 * m * d), f(2 * n * d), f(2 * n * d), f(2 * m * n), f(2 * m * d), i(2, m, n, d, 0, m * d, d, 0, n * d, d, 0, n * d, d, 0, m * d, d, 0, m * n, n, 0, 0, 0, 0), 1],
        units: 2 * Math.ceil(m / 8),
        scratch: native.attentionScratchBytes(n, d) / 4,
      })),
    ]),
  ])

/** Over 4×3 images of `n` channels, 2×3 windows that reach beyond every edge. */
const convolutions = (n: number, tileRows: number): Case[] => {
  const [image, result, filter, columns] = [12 * n, 12 * n, 6 * n, 12 * 6 * n]
  const geometry = i(4, 3, n, 2, 3, 1, 1, 1, 1, 4, 3)
  const blocks = Math.ceil(n / 16)
  return [
    { kernel: 'imageToColumns', operands: [f(3 * image), f(2 * columns), geometry, n, 12], units: 24 },
    { kernel: 'packWindows', operands: [f(2 * image), geometry, n, 1, 21, f(24 * 6 * n)], units: 2, scratch: tileRows * 6 * n },
    { kernel: 'depthwise', operands: [f(2 * image), f(filter), f(n), f(2 * result), geometry], units: 8 },
    ...[0, 1, 2].map((kind): Case => ({ kernel: 'pool', operands: [f(2 * image), f(2 * result), geometry, kind], units: 8 })),
    { kernel: 'columnsToImage', operands: [f(2 * columns), f(2 * image), geometry, n], units: 2 * blocks },
    { kernel: 'depthwiseInputGradient', operands: [f(2 * result), f(filter), f(2 * image), geometry], units: 2 * blocks },
    { kernel: 'depthwiseWeightGradient', operands: [f(2 * image), f(2 * result), f(filter), geometry, 2], units: blocks },
    { kernel: 'maxPoolGradient', operands: [f(2 * image), f(2 * result), f(2 * image), geometry], units: 2 * blocks },
  ]
}

describe.each(binaries)('bounds, $name', ({ relaxedSimd }) => {
  const memory = new WebAssembly.Memory({ initial: PAGES, maximum: 65536 })
  const native = instantiate(new WebAssembly.Module(bytesFor(memory, relaxedSimd)), memory)
  const all = new Float32Array(memory.buffer)
  const end = PAGES * PAGE
  const everyCase = cases(native, relaxedSimd ? 6 : 4)

  /** Runs a case with its memory laid out so that operand `last`, the scratch being one, ends where memory ends; its results, and where all of it lay. */
  const laidOut = ({ kernel, operands, units, beside = [], scratch = 0 }: Case, last: number, split: boolean): { readonly at: readonly number[]; readonly floats: readonly number[] } => {
    all.fill(CANARY)
    let free = 1024
    const floats = [...operands, ...beside, f(scratch)].map(operand => (typeof operand === 'number' ? 0 : 'floats' in operand ? operand.floats : operand.ints.length))
    const at = floats.map((count, k) => {
      if (k === last) return end - count * 4
      free += count * 4 + 256
      return free - count * 4
    })
    operands.forEach((operand, k) => typeof operand === 'object' && 'ints' in operand && new Int32Array(memory.buffer, at[k], operand.ints.length).set(operand.ints.map(value => (typeof value === 'number' ? value : at[operands.length + value.beside]!))))
    const given = operands.map((operand, k) => (typeof operand === 'number' ? operand : at[k]!))
    const call = native[kernel] as (...args: readonly number[]) => void
    const share = (begin: number, to: number): Share => [at.at(-1)!, begin, to]
    if (!split) call(...given, ...share(0, units))
    else for (let unit = units; unit > 0; unit--) call(...given, ...share(unit - 1, unit))
    return { at, floats }
  }

  it('nothing is touched outside the operands and the scratch asked for', () => {
    for (const one of everyCase) {
      const name = `${one.kernel}(${one.operands.map(operand => (typeof operand === 'number' ? operand : JSON.stringify(Object.values(operand)[0]))).join(', ')})`
      // each operand in turn ends where memory ends: one float further is a trap
      for (let last = 0; last <= one.operands.length + (one.beside?.length ?? 0); last++) {
        if (typeof one.operands[last] === 'number') continue
        let laid
        try {
          laid = laidOut(one, last, false)
        } catch (error) {
          throw new Error(`${name}, operand ${last} at the end of memory: ${String(error)}`, { cause: error })
        }
        const inside = new Uint8Array(end / 4)
        laid.at.forEach((start, k) => inside.fill(1, start / 4, start / 4 + laid.floats[k]!))
        let touched = 0
        while (touched < all.length && (inside[touched] === 1 || all[touched] === CANARY)) touched++
        if (touched < all.length) expect.fail(`${name}: wrote ${touched * 4} outside ${laid.at.join(', ')}`)
      }
    }
  }, 60_000)

  it('units done one by one, the last first, give the bits of all at once', () => {
    for (const one of everyCase) {
      const { at, floats } = laidOut(one, 0, false)
      // scratch may be left in any state
      const results = (): Buffer => Buffer.concat(at.slice(0, -1).map((start, k) => Buffer.from(memory.buffer, start, floats[k]! * 4)))
      const whole = results()
      laidOut(one, 0, true)
      expect(Buffer.compare(results(), whole), one.kernel).toBe(0)
    }
  }, 60_000)
})
