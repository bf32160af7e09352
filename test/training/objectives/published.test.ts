import { readdirSync, readFileSync } from 'node:fs'
import { right } from 'fp-ts/lib/Either.js'
import { describe, expect, it } from 'vitest'
import { describedSubject } from '../../../src/cli/parts/describedSubject.js'
import { trace } from '../../../src/graph/trace.js'
import { isTensor } from '../../../src/ops/tensor.js'
import type { DistantTeacher, ModelConfig, TrainingConfig } from '../../../src/training/config/defineTraining.js'
import { readConfig } from '../../../src/training/config/readConfig.js'
import { settled } from '../../../src/training/loop/settled.js'
import type { Named } from '../../../src/training/loop/trainOptions.js'
import { objectiveOf } from '../../../src/training/objectives/objectiveOf.js'
import type { Teacher } from '../../../src/training/objectives/teacher.js'
import { aimOf } from '../../../src/training/routines/aimOf.js'
import { root } from '../../conventions/sources.js'
import { valueOf } from '../../support/either.js'

const folder = `${root}recipes/training`
const names = readdirSync(folder).map(file => file.replace(/\.json$/, ''))
const configOf = (name: string): TrainingConfig => valueOf(readConfig(JSON.parse(readFileSync(`${folder}/${name}.json`, 'utf8'))))
const subjectOf = (model: unknown) => {
  const { recipe, config = {} } = typeof model === 'string' ? { recipe: model } : (model as ModelConfig)
  return valueOf(describedSubject(recipe, { recipe, config }))
}

/** What a teacher of the configuration would give, without its weights. */
const pretended = ({ model, tokens }: DistantTeacher): Teacher => {
  const { inputs, output, features } = valueOf(trace(subjectOf(model).model))
  const shapeOf = (signal: unknown) => (isTensor(signal as never) ? (signal as { readonly shape: readonly number[] }).shape : [])
  return { about: 'pretended', image: shapeOf(inputs), gives: { logits: shapeOf(output), ...(tokens === undefined ? {} : { tokens: shapeOf(features.get(tokens)) }) }, see: () => async () => right({ logits: new Float32Array(0) }), bytes: () => right({ parameters: 0, peak: 0 }), close: () => {} }
}

/** ImageNet, in batches of 1024. */
const updates = 1251

describe('the published trainings', () => {
  it.each(names)('%s is a configuration that can be trained, and says where it comes from', name => {
    const config = configOf(name)
    expect(config.source).not.toBe(undefined)
    const { model, forms } = subjectOf(config.model)
    const { name: kind, config: options = {} } = (config.objective ?? { name: 'classification' }) as Named
    const teacher = options['teacher'] === undefined ? undefined : pretended(options['teacher'] as DistantTeacher)
    const objective = valueOf(objectiveOf({ name: kind, config: options }, teacher === undefined ? {} : { teacher }))
    const { parts } = valueOf(settled(config, 100_000))
    const form = forms?.[kind]?.()
    valueOf(aimOf(model, { ...parts, objective }, { batchSize: Math.min(config.batchSize, 64), ...(form === undefined ? {} : { form }) }))
  })

  it.each([
    ['deit_tiny', 1024, 300 * updates, (5e-4 * 1024) / 512, 1e-5, 5 * updates],
    ['deit_tiny_distilled', 1024, 300 * updates, (5e-4 * 1024) / 512, 1e-5, 5 * updates],
    ['swin_tiny', 1024, 300 * updates, (5e-4 * 1024) / 512, (5e-6 * 1024) / 512, 20 * updates],
    ['lvvit_s', 1024, 300 * updates, 1.6e-3, 1e-5, 5 * updates],
    ['mae_pretrain_base', 4096, 800 * updates, (1.5e-4 * 4096) / 256, 0, 40 * updates],
    ['mae_finetune_base', 1024, 100 * updates, (5e-4 * 1024) / 256, 1e-6, 5 * updates],
    ['vit_finetune_384', 512, 20_000, 0.03, 0, 500],
    ['vit_finetune_512', 512, 20_000, 0.03, 0, 500],
    ['clip_vit_b32', 32768, 32 * updates, 5e-4, 0, 2000],
  ] as const)('%s learns from %i samples at once, for %i updates, at a rate of %d down to %d after %i updates of warm-up', (name, batch, steps, rate, least, rise) => {
    const config = configOf(name)
    const { accumulate = 1 } = config
    const made = valueOf(settled(config, updates * accumulate))
    expect([config.batchSize * accumulate, made.steps]).toEqual([batch, steps])
    const highest = Math.max(...Array.from({ length: 3 }, (_, i) => made.schedule.rate(rise + i)))
    // The cosine of some has been running while the rate rose.
    expect(highest).toBeGreaterThan(0.98 * rate)
    expect(highest).toBeLessThanOrEqual(rate * (1 + 1e-12))
    expect(made.schedule.rate(steps)).toBeCloseTo(least, 12)
    expect(made.schedule.rate(rise / 2)).toBeLessThan(0.6 * rate)
  })
})
