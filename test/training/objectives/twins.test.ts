import { describe, expect, it } from 'vitest'
import { recipes } from '../../../recipes/index.js'
import type { Recipe } from '../../../recipes/kit/recipe.js'
import { reference } from '../../../src/backends/reference/index.js'
import { openSession } from '../../../src/backends/openSession.js'
import { wasm } from '../../../src/backends/wasm/index.js'
import { right } from 'fp-ts/lib/Either.js'
import { objectiveOf } from '../../../src/training/objectives/objectiveOf.js'
import { rotation } from '../../../src/training/objectives/rotation.js'
import type { Teacher } from '../../../src/training/objectives/teacher.js'
import { turned } from '../../../src/training/objectives/turned.js'
import { byteTokenizer } from '../../../src/training/text/byteTokenizer.js'
import { lossOf } from '../../../src/training/losses/lossOf.js'
import { sgd } from '../../../src/training/optimisers/sgd.js'
import { rateName, trainingRoutines } from '../../../src/training/routines/trainingRoutines.js'
import { openSafetensors } from '../../../src/weights/openSafetensors.js'
import { root } from '../../conventions/sources.js'
import { valueOf } from '../../support/either.js'
import { distance } from '../recorded.js'

/** What make.py wrote of one objective. */
const opened = async (name: string) => {
  const file = valueOf(await openSafetensors(`${root}test/fixtures/objectives/${name}.safetensors`)())
  const all = new Map<string, Float32Array | Int32Array>()
  for (const key of file.tensors.keys()) all.set(key, valueOf(await file.read(key)()).data as Float32Array | Int32Array)
  await file.close()
  const { recipe = '', config = '{}', objective = '{}' } = file.metadata
  return { all, recipe, config: JSON.parse(config) as Readonly<Record<string, unknown>>, objective: JSON.parse(objective) as { readonly name: string; readonly config: Readonly<Record<string, unknown>> & { readonly smoothing?: number }; readonly gives?: Teacher['gives']; readonly smoothing?: number } }
}

const under = (all: ReadonlyMap<string, Float32Array | Int32Array>, prefix: string) => [...all].filter(([key]) => key.startsWith(prefix)).map(([key, values]) => [key.slice(prefix.length), values] as const)

/** `x.noise` as `{ x: { noise } }`. */
const nested = (flat: readonly (readonly [string, unknown])[]): Readonly<Record<string, unknown>> => {
  const record: Record<string, unknown> = {}
  for (const [key, value] of flat) {
    const [first, second] = key.split('.') as [string, string | undefined]
    record[first] = second === undefined ? value : { ...(record[first] as object), [second]: value }
  }
  return record
}

const asked: Teacher['see'] = () => async () => right({ logits: new Float32Array(0) })

describe.each([reference, wasm])('on $name, the loss and the gradients of every parameter are those of PyTorch for', backend => {
  it.each(['mixed', 'distilled_hard', 'distilled_soft', 'labelled_tokens', 'autoencoder', 'turned', 'restored', 'compared'])('%s', async name => {
    const { all, recipe: id, config, objective: { name: kind, config: options, gives, smoothing = 0 } } = await opened(name)
    const recipe = (recipes as unknown as Readonly<Record<string, Recipe>>)[id]!.withConfig(config)
    const teacher: Teacher | undefined = gives === undefined ? undefined : { about: 'recorded', gives, see: asked, bytes: () => right({ parameters: 0, peak: 0 }), close: () => {} }
    const objective = valueOf(objectiveOf({ name: kind, config: { ...options, ...(teacher === undefined ? {} : { teacher: { recorded: 'here' } }) } }, { tokenizer: byteTokenizer, ...(teacher === undefined ? {} : { teacher }) }))
    const model = recipe.pretexts?.[kind]?.(options) ?? recipe.model
    const form = recipe.forms?.[kind]?.()
    const loss = valueOf(lossOf({ name: 'crossEntropy', config: { smoothing } }))
    const made = valueOf(trainingRoutines(model, { loss, objective, optimiser: sgd() }, { batchSize: 4, ...(form === undefined ? {} : { form }) }))
    const weights = new Map([...all].filter(([key]) => !key.startsWith('@')).map(([key, values]) => [key, Float32Array.from(values)] as const))
    for (const { tensor } of made.state) weights.set(tensor.attributes.name, new Float32Array(tensor.shape.reduce((a, b) => a * b, 1)))
    for (const variable of made.variables) weights.set(variable, Float32Array.of(variable === rateName ? 1 : 0))
    using session = valueOf(await openSession({ train: made.routines.train! }, { backend, weights, variables: made.variables })())
    const fed = nested(under(all, '@in/').filter(([key]) => kind !== 'rotation' || key !== 'whole'))
    const given = valueOf(await session.run('train', fed)())
    expect(distance(given['loss'] as Float32Array, [...all.get('@loss')!])).toBeLessThan(5e-6)
    const after = valueOf(await session.read([...made.changed])())
    const slopes = under(all, '@grad/')
    expect([...made.changed].sort()).toEqual(slopes.map(([key]) => key).sort())
    const largest = Math.max(...slopes.flatMap(([, slope]) => [...slope].map(Math.abs)))
    for (const [key, slope] of slopes) {
      const [before, now] = [weights.get(key)!, after.get(key)!]
      slope.forEach((value, i) => expect(Math.abs(before[i]! - now[i]! - value), `${key} ${i}`).toBeLessThan(2e-5 * Math.max(1, largest)))
    }
  })
})

it('images are turned as torch.rot90 turns them', async () => {
  const { all } = await opened('turned')
  const [whole, seen, turns] = [all.get('@in/whole') as Float32Array, all.get('@in/x')!, all.get('@in/y')!]
  const each = 8 * 8 * 3
  turns.forEach((quarters, i) => expect(turned(whole.subarray(i * each, (i + 1) * each), 8, 3, quarters)).toEqual(seen.subarray(i * each, (i + 1) * each)))
  expect(rotation().config).toEqual({})
})
