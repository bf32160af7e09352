import { describe, expect, it } from 'vitest'
import { vitRecipe } from '../../../recipes/index.js'
import { adaptWeights, encodeSafetensors, initialWeights, loadPartialWeights, parametersOf, parseSafetensors, replaceHead, showTransfer, trace, type AnyModel, type Model, type Safetensors } from '../../../src/index.js'
import { renamingOf } from '../../../src/weights/renaming.js'
import { problemOf, valueOf } from '../../support/either.js'

const vit = vitRecipe({ imageSize: 32, patchSize: 8, dim: 16, depth: 2, numHeads: 2, numClasses: 5 })
const trained = valueOf(initialWeights(vit.model, 7))
const shapes = (m: unknown): ReadonlyMap<string, readonly number[]> => new Map(parametersOf(valueOf(trace(m as AnyModel))).map(p => [p.attributes.name, p.shape]))

/** A file of the trained weights under other names; those without a name are left out. */
const fileOf = (name: (ours: string) => string | undefined, more: readonly { readonly name: string; readonly shape: readonly number[]; readonly data: Float32Array | Int32Array }[] = []): Safetensors => {
  const of = shapes(vit.model)
  const tensors = [...trained].flatMap(([ours, data]) => (name(ours) === undefined ? [] : [{ name: name(ours)!, shape: of.get(ours)!, data }]))
  return valueOf(parseSafetensors(valueOf(encodeSafetensors([...tensors, ...more] as never)), 'some.safetensors'))
}

/** All weights that a partial load gives. */
const read = async (file: Safetensors, m: unknown, options: Parameters<typeof loadPartialWeights>[2] = {}) => {
  const { weights, report } = valueOf(loadPartialWeights(file, m as Model<unknown, unknown>, options))
  const values = new Map<string, Float32Array>()
  for (const [name, shape] of shapes(m)) values.set(name, valueOf(await weights(name, shape)()))
  return { values, report }
}

describe('a file that has everything', () => {
  it('is read as it is', async () => {
    const { values, report } = await read(fileOf(name => name), vit.model, { strict: true })
    expect(values).toEqual(trained)
    expect(report).toEqual({ kept: [...trained.keys()], resized: [], new: [], unused: [] })
  })

  it.each(['module.', 'model.', 'encoder.', 'module.backbone.'])('is read without the prefix %s', async prefix => {
    const { values, report } = await read(fileOf(name => prefix + name), vit.model, { strict: true })
    expect(values).toEqual(trained)
    expect(report.renaming).toEqual({ strip: prefix })
  })

  it('is read into a model that has its parts one level deeper', async () => {
    const inside = vitRecipe({ imageSize: 32, patchSize: 8, dim: 16, depth: 2, numHeads: 2, numClasses: 5 }).model
    const file = fileOf(name => (name.startsWith('blocks.') ? name.slice('blocks.'.length) : undefined))
    const { report } = await read(file, inside)
    expect(report).toMatchObject({ renaming: { add: 'blocks.' }, kept: [...trained.keys()].filter(name => name.startsWith('blocks.')) })
  })

  it('keeps to its own names where some of them only look like prefixed ones', () => {
    expect(renamingOf(['head.weight', 'head.bias', 'aux.head.weight'], ['head.weight', 'head.bias'])).toBeUndefined()
    expect(renamingOf(['a.x', 'a.y', 'b.x'], ['x', 'y'])).toEqual({ strip: 'a.' })
    expect(renamingOf(['x'], ['y'])).toBeUndefined()
  })
})

describe('a file that has only some of it', () => {
  const withoutHead = fileOf(name => (name.startsWith('head.') ? undefined : name), [{ name: 'decoder.weight', shape: [2], data: Float32Array.of(1, 2) }, { name: 'steps', shape: [1], data: Int32Array.of(9) }])

  it('is read as far as it goes; the rest begins anew from the seed, and all of it is told', async () => {
    const { values, report } = await read(withoutHead, vit.model, { seed: 3 })
    const fresh = valueOf(initialWeights(vit.model, 3))
    for (const [name, data] of values) expect([name, data]).toEqual([name, name.startsWith('head.') ? fresh.get(name) : trained.get(name)])
    expect(report).toEqual({ kept: [...trained.keys()].filter(name => !name.startsWith('head.')), resized: [], new: [{ name: 'head.weight', why: 'missing' }, { name: 'head.bias', why: 'missing' }], unused: ['decoder.weight'] })
    expect(showTransfer(report)).toBe('30 kept\n2 new: head.weight, head.bias\n1 unused: decoder.weight')
  })

  it('is refused where everything was to be there, and nothing else', () => {
    const problem = problemOf(loadPartialWeights(withoutHead, vit.model, { strict: true }))
    expect(problem.code).toBe('weightsMisfit')
    expect(problem.sentence).toBe('the checkpoint does not fit the model: 2 missing ("head.weight", "head.bias"); 1 unexpected ("decoder.weight")')
    expect(loadPartialWeights(withoutHead, vit.withConfig({ numClasses: 0 }).model, { strict: true, ignore: name => name.startsWith('decoder.') })._tag).toBe('Right')
  })

  it('takes nothing of another shape, be it a head or not, and says why', async () => {
    const to = valueOf(replaceHead(vit.withConfig({ mlpRatio: 2 }).model as unknown as Model<readonly [32, 32, 3], readonly [5]>, 9))
    const { report } = await read(fileOf(name => name), to)
    expect(report.new.filter(({ why }) => why === 'head').map(({ name }) => name)).toEqual(['head.weight', 'head.bias'])
    expect(report.new.filter(({ why }) => why === 'otherShape').length).toBe(6)
    expect(report.unused).toEqual([])
    expect(problemOf(loadPartialWeights(fileOf(name => name), to, { strict: true })).sentence).toContain('8 of another shape')
  })

  it('is refused where it has nothing of the model', () => {
    expect(problemOf(loadPartialWeights(fileOf(name => `x${name}y`), vit.model))).toMatchObject({ code: 'nothingMatches', sentence: 'the weights have nothing in common with the model: none of 32 names and shapes is one of its 32', remedy: expect.stringContaining('another architecture') })
  })
})

describe('a file of a model at another image size', () => {
  const at48 = vit.withConfig({ imageSize: 48 }).model

  it('has its tables resized, as adaptWeights does, in strict mode too', async () => {
    const { values, report } = await read(fileOf(name => `module.${name}`), at48, { strict: true })
    expect(report).toMatchObject({ resized: [{ name: 'pos_embed', from: [4, 4], to: [6, 6] }], new: [], unused: [] })
    expect(values).toEqual(valueOf(adaptWeights(trained, vit.model, at48)).weights)
    expect(showTransfer(report)).toBe('31 kept, their prefix "module." taken away\n1 resized: pos_embed 4×4 → 6×6')
  })

  it('is resized without antialiasing where that is asked for', async () => {
    const { values } = await read(fileOf(name => name), at48, { antialias: false })
    expect(values.get('pos_embed')).toEqual(valueOf(adaptWeights(trained, vit.model, at48, { antialias: false })).weights.get('pos_embed'))
  })

  it('needs to be told of which model it is where the grid is no square', async () => {
    const [wide, high] = [[16, 64], [64, 16]].map(imageSize => vit.withConfig({ imageSize }).model)
    const file = fileOf(name => name)
    // 2×8 patches are as many as 4×4: without the model they would be taken for a square.
    expect((await read(file, wide!)).report.resized).toEqual([])
    expect((await read(file, wide!, { from: vit.model as unknown as AnyModel })).report.resized).toEqual([{ name: 'pos_embed', from: [4, 4], to: [2, 8] }])
    expect((await read(file, high!, { from: wide! })).report.resized).toEqual([{ name: 'pos_embed', from: [2, 8], to: [8, 2] }])
  })
})
