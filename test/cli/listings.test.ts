import { describe, expect, it } from 'vitest'
import { recipes } from '../../recipes/index.js'
import { cost } from '../../src/graph/cost.js'
import { trace } from '../../src/graph/trace.js'
import { nearest } from '../../src/shape/nearest.js'
import { valueOf } from '../support/either.js'
import { captured } from './captured.js'

describe('vitrail list', () => {
  it('lists every recipe, as JSON and for a person', async () => {
    const { code, out } = await captured('list', '--json')
    expect(code).toBe(0)
    const rows = JSON.parse(out) as readonly { readonly id: string }[]
    expect(rows.map(({ id }) => id)).toEqual(Object.keys(recipes))
    expect(rows.find(({ id }) => id === 'vit_base_patch16_224')).toEqual({ id: 'vit_base_patch16_224', family: 'vit', input: [224, 224, 3], params: 86567656, source: expect.stringContaining('2010.11929'), hasWeights: false })
    const { out: text } = await captured('list')
    expect(text).toMatch(/^vit_base_patch16_224 +224×224×3 +86,567,656$/m)
    expect(text).toMatch(/^swin_fashion_mnist +28×28×1 +163,806 +with weights$/m)
  })
})

describe('vitrail backends', () => {
  it('says which work here, and for the others why not and how to install them', async () => {
    const { code, out } = await captured('backends', '--json')
    expect(code).toBe(0)
    const rows = JSON.parse(out) as readonly { readonly name: string; readonly works: boolean; readonly reason?: string; readonly remedy?: string }[]
    expect(rows.map(({ name }) => name)).toEqual(['reference', 'cpu', 'wasm', 'tfjs-wasm', 'node', 'node-gpu'])
    for (const { name, works } of rows.slice(0, 4)) expect([name, works]).toEqual([name, true])
    for (const { works, reason, remedy } of rows.slice(4)) if (!works) expect([typeof reason, remedy]).toEqual(['string', expect.stringMatching(/^npm install @tensorflow\/tfjs-node/)])
    expect((await captured('backends')).out).toMatch(/^wasm +works$/m)
  })
})

describe('vitrail bench', () => {
  it('measures each backend, in turn', async () => {
    const { code, out } = await captured('bench', 'vit_fashion_mnist', '--backend', 'cpu,wasm', '--runs', '3', '--batch', '2', '--json')
    expect(code).toBe(0)
    const rows = JSON.parse(out) as readonly { readonly backend: string; readonly medianMs: number; readonly minMs: number; readonly imagesPerSecond: number }[]
    expect(rows.map(({ backend }) => backend)).toEqual(['cpu', 'wasm'])
    for (const { medianMs, minMs, imagesPerSecond } of rows) {
      expect(minMs).toBeGreaterThan(0)
      expect(medianMs).toBeGreaterThanOrEqual(minMs)
      expect(imagesPerSecond).toBeCloseTo(2000 / medianMs, 5)
    }
  })

  it('prints a table', async () => {
    expect((await captured('bench', 'vit_fashion_mnist', '--runs', '1')).out).toMatch(/backend +median +fastest +images\/s\nwasm +[\d.]+ ms/)
  })

  it('tells where the time goes: the kernels of the optimised graph, but none that runs at load alone', async () => {
    const { out } = await captured('bench', 'vit_fashion_mnist', '--backend', 'cpu,wasm', '--runs', '2', '--batch', '2', '--profile', '--json')
    const [cpu, wasm] = (JSON.parse(out) as readonly { readonly kernels: readonly { readonly op: string; readonly shapes: string; readonly calls: number; readonly ms: number; readonly share: number; readonly gflops: number }[] }[]).map(({ kernels }) => kernels)
    for (const kernels of [cpu!, wasm!]) {
      expect(kernels.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 6)
      expect(kernels.map(({ ms }) => ms)).toEqual(kernels.map(({ ms }) => ms).sort((a, b) => b - a))
    }
    // 6 blocks of 64 channels with an MLP of 128, on 49 patches and a class token; the last block's MLP sees that alone.
    expect(wasm!.find(({ shapes }) => shapes === '50×64, 128×64 → 50×128')).toMatchObject({ op: 'fusedLinear', calls: 5 })
    const products = wasm!.reduce((sum, { ms, gflops }) => sum + ms * gflops * 1e6, 0)
    const { model } = recipes.vit_fashion_mnist
    expect(products).toBeGreaterThan(0.8 * 4 * cost(valueOf(trace(model))).macs.total)
    expect(products).toBeLessThan(4 * cost(valueOf(trace(model))).macs.total)
    // On cpu it is a fused product of tfjs and what follows.
    expect(cpu!.find(({ shapes }) => shapes === '50×64, 128×64 → 50×128')).toMatchObject({ op: 'fusedLinear', calls: 5 })
    expect((await captured('bench', 'vit_fashion_mnist', '--runs', '1', '--profile')).out).toMatch(/wasm, kernel by kernel[^]+op +of +calls +time +share +GFLOP\/s\n.+→.+%/)
  })
})

describe('vitrail demo', () => {
  it('shows the model, looks at a picture and tells what it sees in others', async () => {
    const { code, out, err } = await captured('demo')
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain('mae_ft_vit_fashion_mnist: Model<[28, 28, 1], [10]>')
    expect(out).toMatch(/^6 × encoderBlock +numHeads: 4, mlpRatio: 2 +50×64 +200,832 +11,750,400$/m)
    expect(out).toMatch(/ankle boot +99\.3 % {2}█+$/m)
    expect(out).toMatch(/^trouser-2\.png +trouser +trouser +99\.9 % +right$/m)
    expect(out.match(/ right$/gm)).toHaveLength(8)
    expect(out.match(/ wrong$/gm)).toHaveLength(2)
  })
})

describe('the nearest name', () => {
  it('is the one with the fewest edits, if there are few', () => {
    expect(nearest('wasn', ['cpu', 'wasm'])).toBe('wasm')
    expect(nearest('WASM', ['cpu', 'wasm'])).toBe('wasm')
    expect(nearest('directx', ['cpu', 'wasm'])).toBeUndefined()
  })
})
