import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { input } from '../../src/layers/core/model.js'
import { layerScale } from '../../src/layers/layerScale.js'
import { linear } from '../../src/layers/linear.js'
import { named } from '../../src/layers/named.js'
import { encodeSafetensors } from '../../src/weights/encodeSafetensors.js'
import { loadWeights } from '../../src/weights/loadWeights.js'
import { parseSafetensors } from '../../src/weights/parseSafetensors.js'
import { renameTensors } from '../../src/weights/renameTensors.js'
import { left, right } from './safetensorsFile.js'

const values = (count: number, first: number): Float32Array => Float32Array.from({ length: count }, (_, i) => first + i)
const file = right(parseSafetensors(right(encodeSafetensors([
  { name: 'module.blocks.0.gamma_1', shape: [2], data: values(2, 1) },
  { name: 'module.wq.weight', shape: [2, 3], data: values(6, 10) },
  { name: 'module.wq.bias', shape: [2], data: values(2, 20) },
  { name: 'epoch', shape: [1], data: Int32Array.of(7), dtype: 'I64' },
], { format: 'pt' }))))
const model = pipe(input(4, 3), named('q', linear(2)), named('blocks.0.ls1', layerScale()))
/** As CaiT's scales and CrossViT's queries, in a checkpoint of several GPUs. */
const ours = (name: string): string | undefined => (name.startsWith('module.') ? name.slice(7).replace(/\bgamma_(\d)$/, 'ls$1.gamma').replace(/^wq\./, 'q.') : undefined)

describe('renaming the tensors of a file', () => {
  it('makes a checkpoint that calls its parameters otherwise load as it is', async () => {
    expect(left(loadWeights(file, model)).code).toBe('weightsMisfit')
    const read = right(loadWeights(right(renameTensors(file, ours)), model))
    expect(right(await read('blocks.0.ls1.gamma', [2])())).toEqual(values(2, 1))
    expect(right(await read('q.weight', [2, 3])())).toEqual(values(6, 10))
  })

  it('keeps everything else, and gives what has no name under none', async () => {
    const renamed = right(renameTensors(file, ours))
    expect(renamed.metadata).toEqual({ format: 'pt' })
    expect([...renamed.tensors].map(([name, entry]) => [name, entry.name, entry.shape])).toEqual([['blocks.0.ls1.gamma', 'blocks.0.ls1.gamma', [2]], ['q.bias', 'q.bias', [2]], ['q.weight', 'q.weight', [2, 3]]])
    expect(right(await renamed.read('q.bias')())).toMatchObject({ name: 'q.bias', dtype: 'F32', shape: [2] })
    for (const gone of ['epoch', 'module.blocks.0.gamma_1']) expect(left(await renamed.read(gone)()).sentence).toBe(`renameTensors: no tensor '${gone}' among the 3 that have names`)
  })

  it('refuses to give two tensors one name', () => {
    expect(left(renameTensors(file, name => name.replace('bias', 'weight')))).toMatchObject({ code: 'namesCollide', sentence: "renameTensors: 'module.wq.bias' and 'module.wq.weight' would both be called 'module.wq.weight'" })
  })
})
