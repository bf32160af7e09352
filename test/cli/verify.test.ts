import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { recipes } from '../../recipes/index.js'
import { compile } from '../../src/backends/compile.js'
import { reference } from '../../src/backends/reference/index.js'
import { layouts } from '../../src/cli/parts/layouts.js'
import { parametersOf } from '../../src/graph/graph.js'
import { trace } from '../../src/graph/trace.js'
import type { AnyModel } from '../../src/layers/core/model.js'
import type { TensorToStore } from '../../src/weights/encodedLayout.js'
import { formulaWeights } from '../../src/weights/formulaWeights.js'
import { parseSafetensors } from '../../src/weights/parseSafetensors.js'
import { valueOf } from '../support/either.js'
import { captured } from './captured.js'
import { changed, folder, one, put, recordings, verdicts, type Verdict } from './verifying.js'

const all = ['vit', 'deit'].flatMap(family => readdirSync(join(recordings, family)).map(name => join(recordings, family, name)))

describe('vitrail verify', () => {
  it('agrees with every recording on every key, on reference, cpu and wasm', async () => {
    const { code, list } = await verdicts(...all, '--backend', 'reference,cpu,wasm')
    expect(list.map(({ file, backend }) => [file, backend])).toEqual(all.flatMap(file => ['reference', 'cpu', 'wasm'].map(backend => [file, backend])))
    expect(list.filter(({ ok }) => !ok)).toEqual([])
    expect(code).toBe(0)
    for (const { file, outputs, notCompared } of list) {
      const keys = [...valueOf(parseSafetensors(readFileSync(file))).tensors.keys()].filter(key => key.startsWith('@') && key !== '@in/x' && key !== '@in/target')
      expect([...Object.keys(outputs), ...notCompared].sort()).toEqual(keys.sort())
    }
  })

  it('prints a table of errors', async () => {
    const { code, out, err } = await captured('verify', one)
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(/vit_cls_a\.safetensors {2}vit on wasm: ok\nkey +max abs +max rel\n@feat\/blocks\.0 +\d\.\de-\d +\d\.\de-\d +ok/)
    expect(out).toMatch(/\n1 ok$/)
  })

  it('fails with 1 where a tolerance is exceeded', async () => {
    const { code, list } = await verdicts(one, '--tolerance', '1e-12', '--backend', 'reference')
    expect([code, list[0]!.ok, list[0]!.outputs['@out/logits']!.ok]).toEqual([1, false, false])
  })

  it('scales the tolerance by the largest element where that exceeds 1', async () => {
    const file = await changed('large.safetensors', tensors => put(tensors, '@out/logits', old => ({ ...old, data: old.data.map(() => 1e6) }) as TensorToStore))
    const { outputs } = (await verdicts(file, '--tolerance', '1.1')).list[0]!
    expect(outputs['@out/logits']).toMatchObject({ ok: true, maxRel: expect.closeTo(1, 3) })
    expect(outputs['@out/logits']!.maxAbs).toBeGreaterThan(9e5)
  })

  it('sees a single wrong value, and never takes NaN for right', async () => {
    const off = await changed('off.safetensors', tensors => put(tensors, '@feat/norm', old => ({ ...old, data: old.data.map((v, i) => (i === 700 ? v + 1e-3 : v)) }) as TensorToStore))
    const { code, list } = await verdicts(off)
    expect([code, list[0]!.outputs['@feat/norm']!.ok, list[0]!.outputs['@out/logits']!.ok]).toEqual([1, false, true])
    for (const name of ['@out/logits', 'head.bias']) {
      const nan = await changed('nan.safetensors', tensors => put(tensors, name, old => ({ ...old, data: old.data.map((v, i) => (i === 3 ? NaN : v)) }) as TensorToStore))
      const verdict = await verdicts(nan)
      expect([verdict.code, verdict.list[0]!.outputs['@out/logits']]).toEqual([1, { maxAbs: null, maxRel: null, ok: false, problem: 'there are values that are not finite' }])
    }
  })

  it('fails, and says why, for a key that our model does not have', async () => {
    const file = await changed('more.safetensors', tensors => tensors.push({ name: '@feat/blocks.7', shape: [1], data: Float32Array.of(1) }, { name: '@out/other', shape: [1], data: Float32Array.of(1) }))
    const { code, list } = await verdicts(file)
    expect(code).toBe(1)
    expect(list[0]!.outputs['@feat/blocks.7']).toEqual({ maxAbs: null, maxRel: null, ok: false, problem: "the model has no layer 'blocks.7'" })
    expect(list[0]!.outputs['@out/other']).toMatchObject({ ok: false, problem: "the model has no output 'other'" })
  })

  it('fails for a shape that is not ours', async () => {
    const file = await changed('shape.safetensors', tensors => put(tensors, '@out/logits', old => ({ ...old, shape: [1, 20] }) as TensorToStore))
    expect((await verdicts(file)).list[0]!.outputs['@out/logits']).toMatchObject({ ok: false, problem: 'it is 1×20 in the recording and 2×10 here' })
  })

  it('compares feature maps in the reference\'s channels-first layout', async () => {
    const file = await changed('map.safetensors', tensors => {
      const tokens = tensors.find(({ name }) => name === '@feat/patch_embed')!
      const data = tokens.data.map((_, i) => tokens.data[((i / 768) | 0) * 768 + (i % 16) * 48 + (((i % 768) / 16) | 0)]!)
      tensors.push({ name: '@feat/patch_embed.proj', shape: [2, 48, 4, 4], data: data as Float32Array })
    })
    const { list } = await verdicts(file)
    expect(list[0]!.outputs['@feat/patch_embed.proj']!.ok).toBe(true)
  })

  it('ignores integer buffers among the weights', async () => {
    const file = await changed('buffer.safetensors', tensors => tensors.push({ name: 'blocks.0.attn.relative_position_index', shape: [2], data: Int32Array.of(0, 1) }))
    expect((await verdicts(file)).code).toBe(0)
  })

  it('writes what it computed under the same keys and in the same shapes', async () => {
    const dump = join(folder, 'deep', 'dump')
    expect((await verdicts(one, '--dump', dump)).code).toBe(0)
    const [computed, recorded] = [join(dump, 'vit_cls_a.safetensors'), one].map(file => valueOf(parseSafetensors(readFileSync(file!))))
    const keys = [...recorded!.tensors.keys()].filter(key => /^@(out|feat)/.test(key)).sort()
    expect([...computed!.tensors.keys()].sort()).toEqual(keys)
    for (const key of keys) {
      const [ours, theirs] = [valueOf(await computed!.read(key)()), valueOf(await recorded!.read(key)())]
      expect(ours.shape).toEqual(theirs.shape)
      ours.data.forEach((value, i) => expect(Math.abs(value - theirs.data[i]!)).toBeLessThan(2e-5))
    }
    await verdicts(one, '--dump', dump, '--backend', 'reference,wasm')
    expect(readdirSync(dump).sort()).toEqual(['reference', 'vit_cls_a.safetensors', 'wasm'])
  })

  it.each([
    ['an unknown system', (m: Record<string, string>) => void (m['system'] = 'vti'), "was made by the unknown system 'vti'; did you mean 'vit'?"],
    ['an unknown keyword', (m: Record<string, string>) => void (m['config'] = m['config']!.replace('{', '{"colour": 1, ')), "vit: does not know 'colour'; it knows img_size,"],
    ['a value of the wrong kind', (m: Record<string, string>) => void (m['config'] = m['config']!.replace('"depth": 3', '"depth": "3"')), `'depth' must be a number, got "3"`],
    ['an unknown activation', (m: Record<string, string>) => void (m['config'] = m['config']!.replace('gelu(erf)', 'elu')), "'act' must be one of"],
    ['heads that do not split', (m: Record<string, string>) => void (m['config'] = m['config']!.replace('"num_heads": 4', '"num_heads": 5')), 'attention: 48 channels do not split into 5 heads (17×48) (at blocks.0 › attention)'],
    ['no configuration', (m: Record<string, string>) => void delete m['config'], 'is no recording: its metadata have no config'],
    ['a configuration that is no JSON', (m: Record<string, string>) => void (m['config'] = '{'), 'the config in its metadata: is not JSON'],
    ['a deeper model', (m: Record<string, string>) => void (m['config'] = m['config']!.replace('"depth": 3', '"depth": 4')), '12 missing ("blocks.3.norm1.weight",'],
    ['another image size', (m: Record<string, string>) => void (m['config'] = m['config']!.replace('"img_size": 32', '"img_size": 64')), '@in/x is 2×3×32×32, but the model takes 64×64×3 after the batch'],
  ])('names a file with %s, replays the others, and ends with 2', async (_, change, sentence) => {
    const file = await changed('odd.safetensors', (__, metadata) => change(metadata))
    const { code, out, err } = await captured('verify', file, one, '--json')
    expect(code).toBe(2)
    expect(err).toContain(sentence)
    const list = JSON.parse(out) as readonly Verdict[]
    expect(list.map(({ ok, error }) => [ok, error === undefined])).toEqual([[false, false], [true, true]])
    expect(list[0]!.error).toContain(sentence)
  })

  it('refuses what is no safetensors file, gradients without weights beside them, and what holds nothing to compare', async () => {
    expect(await captured('verify', 'package.json')).toMatchObject({ code: 2 })
    const alone = await changed('alone.grad.safetensors', () => {}, join(recordings, 'vit', 'vit_cls_a.grad.safetensors'))
    expect((await captured('verify', alone)).err).toContain('holds no weights, and alone.safetensors is not beside it')
    const empty = await changed('empty.safetensors', tensors => void tensors.splice(0, tensors.length, ...tensors.filter(({ name }) => !/^@(out|feat)/.test(name))))
    expect((await captured('verify', empty)).err).toContain('holds no @out/…, @feat/… or @grad/… to compare')
  })

  it('refuses backends that it does not know or that do not open here, before anything runs', async () => {
    expect(await captured('verify', one, '--backend', 'wasm,gpu')).toMatchObject({ code: 2, out: '' })
    expect((await captured('verify', one, '--tolerance', '-1')).err).toContain('It must be a number above 0.')
  })
})

describe('vitrail verify --full', () => {
  const [name, salt, keysFile] = ['vit_fashion_mnist', 'test', 'keys/vit_fashion_mnist.json']
  const { model } = recipes[name as 'vit_fashion_mnist']
  type Json = Record<string, unknown>

  /** What the reference backend computes, in the form of a full-size recording. */
  const recordingOf = async (): Promise<{ readonly recording: Json; readonly keys: Json }> => {
    const parameters = parametersOf(valueOf(trace(model as unknown as AnyModel))).map(({ attributes, shape }) => ({ key: attributes.name, shape }))
    const weights = new Map(parameters.map(({ key, shape }) => [key, formulaWeights(key, shape, 0, 0.1, salt)]))
    const x = { shape: [1, 1, 28, 28], key: 'input.x', offset: 0, s: 1 }
    const program = valueOf(await compile(model as never, { backend: reference, weights, features: ['blocks.0'] as never[] })())
    const ran = valueOf(await program.runWithFeatures(formulaWeights(x.key, x.shape, x.offset, x.s, salt) as never)()) as unknown as { readonly output: Float32Array; readonly features: Readonly<Record<string, Float32Array>> }
    program.dispose()
    const digest = (values: Float32Array, shape: readonly number[]): Json => ({ shape, first: Array.from(values.subarray(0, 4)), l2: Math.hypot(...values) })
    return {
      recording: { name, salt, keys_file: keysFile, inputs: { x }, outputs: { logits: digest(ran.output, [1, 10]) }, features: { 'blocks.0': digest(ran.features['blocks.0']!, [1, 50, 64]) } },
      // A counter, which no formula makes, as key files list them.
      keys: { state: [...parameters.map(({ key, shape }) => [key, shape, 'P', 'embed', 0, 0.1]), ['num_batches_tracked', [], 'B:int64', 'computed', null, null]] },
    }
  }
  const write = (content: unknown, keys: unknown): string => {
    const place = mkdtempSync(join(folder, 'full-'))
    mkdirSync(join(place, 'keys'))
    if (keys !== undefined) writeFileSync(join(place, keysFile), JSON.stringify(keys))
    writeFileSync(join(place, 'full.json'), JSON.stringify(content))
    return join(place, 'full.json')
  }

  it('replays a recording from its formula, whether recordings are a list or by name', async () => {
    const { recording, keys } = await recordingOf()
    for (const models of [[recording], { first: recording }]) {
      const { code, list } = await verdicts('--full', write({ models }, keys), '--backend', 'reference,wasm')
      expect([code, list.map(({ file, system, backend, ok }) => [file, system, backend, ok])]).toEqual([0, [[name, 'vit', 'reference', true], [name, 'vit', 'wasm', true]]])
      expect(Object.keys(list[0]!.outputs)).toEqual(['@out/logits', '@feat/blocks.0'])
    }
  })

  it('sees a wrong first value, a wrong norm and an output that is not there', async () => {
    const { recording, keys } = await recordingOf()
    const { logits } = recording['outputs'] as { readonly logits: { readonly first: readonly number[]; readonly l2: number } }
    const outputs = { logits: { ...logits, first: logits.first.map(v => v + 1e-2) } }
    const features = { 'blocks.9': { shape: [1], first: [0], l2: 1 }, 'blocks.0': { ...(recording['features'] as Record<string, Json>)['blocks.0'], l2: 1 } }
    const { code, list } = await verdicts('--full', write({ models: [{ ...recording, outputs, features }] }, keys), '--backend', 'reference')
    expect(code).toBe(1)
    expect(Object.values(list[0]!.outputs).map(({ ok }) => ok)).toEqual([false, false, false])
    expect(list[0]!.outputs['@feat/blocks.9']!.problem).toBe("the model has no layer 'blocks.9'")
  })

  it('takes some of the recordings, and says which there are', async () => {
    const { recording, keys } = await recordingOf()
    const file = write({ models: [recording, { ...recording, name: 'other' }] }, keys)
    expect((await verdicts('--full', file, '--only', name, '--backend', 'reference')).list.map(v => v.file)).toEqual([name])
    expect(await captured('verify', '--full', file, '--only', 'vit_fashion')).toMatchObject({ code: 2, out: '', err: `vitrail: ${file}: has no recording of vit_fashion; it has ${name}, other` })
  })

  it.each<readonly [string, (recording: Json) => unknown, string]>([
    ['no models', () => ({}), 'holds no full-size recordings'],
    ['an empty list', () => ({ models: [] }), 'holds no full-size recordings'],
    ['models that are a word', () => ({ models: 'all' }), 'holds no full-size recordings'],
    ['nothing for a model', () => ({ models: [null] }), 'number 1 of its models is no full-size recording'],
    ...['name', 'salt', 'keys_file', 'inputs', 'outputs', 'features'].map(field => [`no ${field}`, (recording: Json) => ({ models: [recording, { ...recording, [field]: undefined }] }), `number 2 of its models is no full-size recording: ${field} is missing or not what it should be`] as const),
    ['a digest without values', recording => ({ models: [{ ...recording, outputs: { logits: { shape: [1, 10], l2: 1 } } }] }), 'outputs is missing or not what it should be'],
    ['a digest that is nothing', recording => ({ models: [{ ...recording, features: { norm: null } }] }), 'features is missing or not what it should be'],
    ['an input without a formula', recording => ({ models: [{ ...recording, inputs: { x: { values: [1] } } }] }), "the recorded input 'x' is not what the model takes, 28×28×1 after the batch"],
    ['an input too large to make', recording => ({ models: [{ ...recording, inputs: { x: { shape: [1e9, 1e9], key: 'x', offset: 0, s: 1 } } }] }), "the recorded input 'x' is not what the model takes, 28×28×1 after the batch"],
    ['a name that every object has', recording => ({ models: [{ ...recording, name: 'constructor' }] }), 'constructor: is no model of the listing'],
    ['a key file that is not there', recording => ({ models: [{ ...recording, keys_file: 'none.json' }] }), 'is neither beside'],
  ])('says in one sentence what is wrong with %s', async (_, change, sentence) => {
    const { recording, keys } = await recordingOf()
    const { code, err } = await captured('verify', '--full', write(change(recording), keys), '--backend', 'reference', '--json')
    expect([code, err]).toEqual([2, expect.stringContaining(sentence)])
    expect(err).not.toMatch(/\n|fault in vitrail/)
  })

  it.each<readonly [string, unknown, string]>([
    ['without a state', {}, 'does not say how weights are made'],
    ['with a row that is none', { state: [['cls_token']] }, 'does not say how weights are made'],
    ['that is a list', [], 'must be a JSON object'],
    ['without a weight', { state: [] }, "the reference has no weight 'cls_token'"],
    ['with a weight of another size', { state: [['cls_token', [1e9, 1e9], 'P', 'embed', 0, 0.1]] }, "'cls_token' is 1000000000×1000000000 in the reference and 1×1×64 here"],
  ])('says in one sentence what is wrong with a key file %s', async (_, keys, sentence) => {
    const { recording } = await recordingOf()
    const { code, err } = await captured('verify', '--full', write({ models: [recording] }, keys), '--backend', 'reference', '--json')
    expect([code, err]).toEqual([2, expect.stringContaining(sentence)])
    expect(err).not.toMatch(/\n|fault in vitrail/)
  })
})

describe('layouts', () => {
  it('reads images channels first, and leaves all else', () => {
    const values = Float32Array.of(1, 2, 3, 4, 5, 6)
    expect(layouts.ours(values, [1, 3, 1, 2], [1, 2, 3])).toEqual(Float32Array.of(1, 3, 5, 2, 4, 6))
    expect(layouts.ours(values, [2, 3], [3])).toBe(values)
    expect(layouts.ours(values, [2, 3], [2])).toBeUndefined()
  })

  it('finds the ways in which values may stand in a recording', () => {
    const values = Float32Array.of(1, 2, 3, 4, 5, 6)
    expect(layouts.theirs(values, [1, 1, 2, 3], [1, 2, 3])).toEqual([values])
    expect(layouts.theirs(values, [1, 1, 2, 3], [1, 3, 1, 2])).toEqual([Float32Array.of(1, 4, 2, 5, 3, 6)])
    expect(layouts.theirs(Float32Array.of(1, 2, 3, 4), [1, 1, 2, 2], [1, 2, 1, 2])).toEqual([Float32Array.of(1, 2, 3, 4), Float32Array.of(1, 3, 2, 4)])
    expect(layouts.theirs(values, [2, 3], [3, 2])).toEqual([])
  })
})
