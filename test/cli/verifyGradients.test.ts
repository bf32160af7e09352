import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { TensorToStore } from '../../src/weights/encodedLayout.js'
import { captured } from './captured.js'
import { changed, put, recordings, verdicts } from './verifying.js'

const deitGradients = join(recordings, 'deit', 'deit_dist_a.grad.safetensors')

describe('vitrail verify of gradients', () => {
  it('differentiates the loss where gradients were recorded, with the weights of the recording beside them', async () => {
    const { list } = await verdicts(deitGradients)
    expect(Object.keys(list[0]!.outputs)).toEqual(expect.arrayContaining(['@out/logits', '@out/loss', '@grad_in/x', '@grad/cls_token', '@grad/blocks.1.attn.qkv.weight']))
    expect(list[0]).toMatchObject({ ok: true, notCompared: [], tolerance: { outputs: 2e-5, gradients: 1e-4 } })
    const { out } = await captured('verify', deitGradients)
    expect(out).toMatch(/deit on wasm: ok {2}gradients to 0\.0001 of the largest element\n/)
    expect(out).toMatch(/@grad_in\/x +\d\.\de-\d +\d\.\de-\d +ok/)
  })

  it('compares a gradient on its own scale, and one that is zero on that of the others', async () => {
    const name = 'scaled'
    await changed(`${name}.safetensors`, () => {}, join(recordings, 'deit', 'deit_dist_a.safetensors'))
    const off = (factor: number, shift: number) => (old: TensorToStore): TensorToStore => ({ ...old, data: (old.data as Float32Array).map(x => x * factor + shift) }) as TensorToStore
    const file = await changed(`${name}.grad.safetensors`, tensors => {
      put(tensors, '@grad/cls_token', off(1.001, 0))
      put(tensors, '@grad/norm.weight', off(0, 1e-9))
      put(tensors, '@grad_in/x', off(1 + 2e-5, 0))
    }, deitGradients)
    const { outputs } = (await verdicts(file)).list[0]!
    expect([outputs['@grad/cls_token']!.ok, outputs['@grad/norm.weight']!.ok, outputs['@grad_in/x']!.ok]).toEqual([false, false, true])
    expect(outputs['@grad/cls_token']!.maxRel).toBeCloseTo(1e-3, 5)
  })

  it('lists what it does not compare, and says why a gradient is none of ours', async () => {
    const name = 'renamed'
    await changed(`${name}.safetensors`, () => {}, join(recordings, 'deit', 'deit_dist_a.safetensors'))
    const file = await changed(`${name}.grad.safetensors`, tensors => {
      put(tensors, '@grad/cls_token', old => ({ ...old, name: '@grad/class_token' }))
      put(tensors, '@grad_in/x', old => ({ ...old, name: '@grad_in/y' }))
      tensors.push({ name: '@mask/x', shape: [1], data: new Float32Array(1) })
    }, deitGradients)
    const { outputs, notCompared } = (await verdicts(file)).list[0]!
    expect([outputs['@grad/class_token']!.problem, outputs['@grad_in/y']!.problem]).toEqual(["the model has no parameter 'class_token'", "the model has no input 'y'"])
    expect(notCompared).toEqual(['@mask/x'])
    const without = await changed(`${name}.grad.safetensors`, tensors => void tensors.splice(tensors.findIndex(({ name: key }) => key === '@in/target'), 1), deitGradients)
    expect((await verdicts(without)).list[0]!.outputs['@grad/cls_token']!.problem).toBe('there are no logits or no @in/target to make a loss of')
  })
})
