import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { openData } from '../../src/cli/parts/training/openData.js'
import { root } from '../conventions/sources.js'
import { openSafetensors } from '../../src/weights/openSafetensors.js'
import { valueOf } from '../support/either.js'
import { writeIdx } from '../training/idxFiles.js'
import { classes, side, stripes } from '../training/stripes.js'
import { captured } from './captured.js'

const folder = mkdtempSync(join(tmpdir(), 'train-'))
const at = (name: string): string => join(folder, name)

const config = {
  model: { recipe: 'vit_fashion_mnist', config: { imageSize: side, depth: 1, dim: 16, numClasses: 4 } },
  data: { kind: 'idx', images: 'train-images', labels: 'train-labels', classes, validation: { kind: 'idx', images: 'test-images', labels: 'test-labels' }, workers: 0 },
  epochs: 2, batchSize: 8,
  optimiser: { name: 'adamw', config: { weightDecay: 0.05 } },
  schedule: { name: 'cosine', config: { rate: 0.003 } },
}

/** A configuration beside the data, changed as asked. */
const write = (name: string, change: (config: Record<string, unknown>) => object = c => c): string => {
  writeFileSync(at(name), JSON.stringify(change(structuredClone(config) as Record<string, unknown>)))
  return at(name)
}

beforeAll(async () => {
  await writeIdx(folder, 'train', stripes(40, 1))
  await writeIdx(folder, 'test', stripes(20, 2))
})

describe('vitrail train', () => {
  it('says what it would do, and does nothing', async () => {
    const { code, out } = await captured('train', write('dry.json'), '--dry-run')
    expect(code).toBe(0)
    expect(out.split('\n').map(line => line.replace(/[\d.]+ (kB|MB)/g, 'N'))).toEqual([
      expect.stringMatching(/^model {7}vit_fashion_mnist: [\d,]+ parameters$/) as string,
      'data        40 samples of 4 classes, 20 more to validate on',
      'steps       10: 2 epochs of 5',
      'memory      holds N on wasm at batch 8, N of it all the time',
    ])
    expect(existsSync(at('dry'))).toBe(false)
  })

  it('trains, and what it leaves can be run, evaluated and trained on', async () => {
    const { code, out, err } = await captured('train', write('whole.json'), '--out', at('whole'))
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(/epoch 2, step 10: validated with loss \d\.\d{4}, \d+\.\d\d % right/)
    expect(out).toMatch(/finished at step 10; best accuracy 0\.\d{4} at step (5|10)/)
    const metrics = readFileSync(at('whole/metrics.jsonl'), 'utf8').trim().split('\n').map(line => (JSON.parse(line) as { readonly kind: string }).kind)
    expect(metrics).toEqual([...Array<string>(5).fill('step'), 'epoch', 'validation', ...Array<string>(5).fill('step'), 'epoch', 'validation'])
    expect(readFileSync(at('whole/report.html'), 'utf8')).toContain('<h2>Confusion</h2>')
    const accuracies = readFileSync(at('whole/metrics.jsonl'), 'utf8').trim().split('\n').flatMap(line => ((metric: { readonly kind: string; readonly accuracy: number }) => (metric.kind === 'validation' ? [metric.accuracy] : []))(JSON.parse(line) as never))
    const evaluated = JSON.parse((await captured('eval', at('whole/best.safetensors'), '--data', at('test-images'), '--labels', at('test-labels'), '--json')).out) as { readonly accuracy: number; readonly samples: number; readonly interval: readonly number[] }
    expect(evaluated).toMatchObject({ samples: 20, accuracy: Math.max(...accuracies) })
    expect(evaluated.interval[0]).toBeLessThan(evaluated.accuracy)
    expect((await captured('summary', at('whole/last.safetensors'))).code).toBe(0)
    const again = await captured('train', write('again.json', c => ({ ...c, weights: 'whole/best.safetensors', epochs: 1 })), '--out', at('again'))
    expect(again).toMatchObject({ code: 0 })
  })

  it('goes on where it was, for more epochs than before', async () => {
    const file = write('more.json', c => ({ ...c, schedule: { name: 'constant', config: { rate: 0.001 } } }))
    expect((await captured('train', file, '--out', at('more'), '--epochs', '1')).code).toBe(0)
    const { code, out } = await captured('train', file, '--out', at('more'), '--resume')
    expect(code).toBe(0)
    expect(out).toContain(`goes on     from step 5 of ${at('more/last.safetensors')}`)
    expect(out).toMatch(/finished at step 10/)
  })

  it('goes on also when the weights it began with are gone, and plans to without making a folder', async () => {
    const first = write('first.json', c => ({ ...c, epochs: 1 }))
    expect((await captured('train', first, '--out', at('first'))).code).toBe(0)
    copyFileSync(at('first/last.safetensors'), at('begun.safetensors'))
    const file = write('later.json', c => ({ ...c, weights: 'begun.safetensors', schedule: { name: 'constant', config: { rate: 0.001 } } }))
    expect((await captured('train', file, '--out', at('later'), '--epochs', '1')).code).toBe(0)
    rmSync(at('begun.safetensors'))
    expect((await captured('train', file, '--out', at('later'), '--resume')).out).toMatch(/finished at step 10; best accuracy/)
    expect((await captured('train', first, '--out', at('planned'), '--resume', '--dry-run')).code).toBe(0)
    expect(existsSync(at('planned'))).toBe(false)
  })

  it('takes what the command line says over what the file says', async () => {
    const { out } = await captured('train', write('set.json'), '--dry-run', '--epochs', '3', '--batch-size', '4', '--set', 'model.config.depth=2', 'data.validation=0.25', '--backend', 'reference')
    expect(out).toMatch(/data {8}28 samples of 4 classes, 10 more to validate on\nsteps {7}21: 3 epochs of 7\nmemory .* on reference at batch 4/)
    const one = await captured('train', write('text.json', c => ({ ...c, model: 'vit_fashion_mnist' })), '--dry-run', '--set', 'model.config.numClasses=4')
    expect(one.code).toBe(0)
  })

  it('lets steps take the place of epochs, and epochs of steps, and says so; of both it takes neither', async () => {
    const file = write('either.json', c => ({ ...c, warmup: { epochs: 1 } }))
    const steps = await captured('train', file, '--dry-run', '--set', 'steps=7', 'warmup.steps=3')
    expect([steps.code, steps.err]).toEqual([0, 'vitrail: steps=7 takes the place of epochs=2\nvitrail: warmup.steps=3 takes the place of warmup.epochs=1'])
    expect(steps.out).toContain('steps       7: 2 epochs of 5')
    const epochs = await captured('train', write('other.json', c => ({ ...c, epochs: undefined, steps: 7 })), '--dry-run', '--epochs', '3')
    expect([epochs.code, epochs.err]).toEqual([0, 'vitrail: epochs=3 takes the place of steps=7'])
    expect(epochs.out).toContain('steps       15: 3 epochs of 5')
    expect((await captured('train', file, '--dry-run', '--epochs', '3', '--set', 'steps=7')).err).toMatch(/train: needs 'epochs' or 'steps', not both$/)
    expect((await captured('train', file, '--dry-run', '--set', 'warmup.epochs=1', 'warmup.steps=3')).err).toMatch(/train: warmup needs 'steps' or 'epochs', not both/)
  })

  it('reads a configuration as Windows writes it', async () => {
    writeFileSync(at('windows.json'), `\uFEFF${JSON.stringify(config, null, 2).replaceAll('\n', '\r\n')}\r\n`)
    expect(await captured('train', at('windows.json'), '--dry-run')).toMatchObject({ code: 0, err: '' })
  })

  it('stopped by Ctrl-C, leaves a checkpoint and says how to go on', async () => {
    const file = write('long run.json', c => ({ ...c, epochs: 2 }))
    const child = spawn(process.execPath, [join(root, 'dist/bundle/cli.js'), 'train', file, '--out', at('long'), '--threads', '1', '--seed', '5', '--epochs', '400', '--set', 'clipNorm=1'], { stdio: ['ignore', 'pipe', 'pipe'] })
    const said: string[] = []
    let interrupted = false
    child.stdout.on('data', (text: Buffer) => {
      said.push(text.toString())
      // Twice would stop it at once, without a checkpoint.
      if (!interrupted && /epoch 2,/.test(said.join(''))) interrupted = child.kill('SIGINT')
    })
    expect(await new Promise(resolve => child.on('close', resolve))).toBe(1)
    const [, step] = /stopped at step (\d+); to go on: vitrail train ".*long run\.json" --out .*long --threads 1 --epochs 400 --seed 5 --set clipNorm=1 --resume/.exec(said.join(''))!
    expect((await captured('train', file, '--out', at('long'), '--epochs', '400', '--seed', '5', '--set', 'clipNorm=1', '--resume', '--dry-run')).out).toContain(`goes on     from step ${Number(step).toLocaleString('en-US')} of`)
  })

  it('reads TypeScript, in which a model may be written out', async () => {
    writeFileSync(
      at('typed.ts'),
      `import { pipe } from 'fp-ts/lib/function.js'
import { globalPool, input, linear, optimisers, schedules } from 'vitrail'
import { defineTraining } from 'vitrail/training'

export default defineTraining({
  model: pipe(input(${side}, ${side}, 1), globalPool(), linear(4)),
  data: { kind: 'idx', images: 'train-images', labels: 'train-labels', workers: 0 },
  steps: 2,
  batchSize: 8,
  optimiser: optimisers.sgd({ momentum: 0.9 }),
  schedule: schedules.constant({ rate: 0.1 }),
})
`,
    )
    const { code, err } = await captured('train', at('typed.ts'), '--out', at('typed'))
    expect(code).toBe(0)
    expect(err).toMatch(/^vitrail: the model: is no recipe with options, so its weight files will not say which model they are for; to use them, .*--weights WEIGHTS$/)
    expect(readFileSync(at('typed/metrics.jsonl'), 'utf8').split('\n').length).toBe(3)
  })

  it('writes into weight files which recipe a TypeScript file changed, unless it changed more than options', async () => {
    const written = (name: string, model: string): void =>
      writeFileSync(
        at(name),
        `import { recipes } from 'vitrail/recipes'

const recipe = recipes.vit_fashion_mnist.withConfig({ imageSize: ${side}, depth: 1, dim: 16, numClasses: 4, dropPath: 0.1 })
export default { model: ${model}, data: { kind: 'idx', images: 'train-images', labels: 'train-labels', workers: 0 }, steps: 1, batchSize: 8, optimiser: { name: 'sgd' }, schedule: { name: 'constant', config: { rate: 0.1 } } }
`,
      )
    written('recipe.ts', 'recipe')
    expect(await captured('train', at('recipe.ts'), '--out', at('recipe'))).toMatchObject({ code: 0, err: '' })
    expect(await captured('eval', at('recipe/last.safetensors'), '--data', at('test-images'), '--labels', at('test-labels'))).toMatchObject({ code: 0 })
    written('other.ts', '{ ...recipe, model: recipe.withConfig({ depth: 2 }).model }')
    expect((await captured('train', at('other.ts'), '--dry-run')).err).toMatch(/^vitrail: vit: is no recipe with options/)
  })

  it('gives folders to validate on the classes of the training data, however theirs are ordered', async () => {
    for (const name of ['cats', 'dogs']) mkdirSync(at(`pets/${name}`), { recursive: true })
    writeFileSync(at('pets/cats/a.png'), '')
    const opened = valueOf(await openData({ kind: 'folder', path: 'pets', classes: ['cats', 'dogs'] }, folder, ['dogs', 'cats'])())
    expect(opened).toMatchObject({ classes: ['dogs', 'cats'], labels: Int32Array.of(1) })
  })

  it.each([
    ['a file that is not there', () => at('nowhere.json'), [], /nowhere\.json: no such file/],
    ['a file that is no training', () => at('train-images'), [], /train-images: a training is a \.ts, \.js or \.json file; see docs\/how-to\/train\.md/],
    ['an option there is not', () => write('a.json', c => ({ ...c, epoch: 3 })), [], /config: there is no option 'epoch'; did you mean 'epochs'\?/],
    ['an option inside that there is not', () => write('b.json', c => ({ ...c, data: { ...(c['data'] as object), validations: 1 } })), [], /no option 'data\.validations'; did you mean 'data\.validation'\?/],
    ['an option left out', () => write('c.json', c => ({ ...c, optimiser: undefined })), [], /train: needs 'optimiser'/],
    ['data of a kind there is not', () => write('d.json', c => ({ ...c, data: { kind: 'foldr', path: '.' } })), [], /config: data\.kind cannot be "foldr"; did you mean 'folder'\?/],
    ['a number that is none', () => write('e.json'), ['--set', 'batchSize=eight'], /train: batchSize must be a whole number from 1, got "eight"/],
    ['a change that is none', () => write('f.json'), ['--set', 'batchSize'], /--set batchSize: must be option=value/],
    ['data of other classes', () => write('g.json', c => ({ ...c, model: 'vit_fashion_mnist' })), [], /train-images: has 4 classes, but the model tells 10 apart; give the model another head: replaceHead\(model, 4\), or the option numClasses: 4 of a recipe/],
    ['validation data of other classes', () => write('n.json', c => ({ ...c, data: { ...(c['data'] as object), validation: { kind: 'idx', images: 'test-images', labels: 'test-labels', classes: [...classes].reverse() } } })), [], /test-images: class 0 is 'rising', but 'across' in .*train-images; name the same classes/],
    ['a batch larger than the data', () => write('h.json'), ['--batch-size', '41'], /a batch of 41 is more than all 40 samples/],
    ['a folder that holds a training', () => write('j.json'), ['--out', at('taken')], /taken: already holds a training \(last\.safetensors\); resume it, or name another folder/],
    ['a training that began otherwise', () => write('k.json'), ['--out', at('more'), '--resume', '--seed', '5'], /not how the training in .*more began: .*seed: 0 before, 5 now/],
    ['weights of another model', () => write('l.json', c => ({ ...c, weights: 'whole/best.safetensors', model: { recipe: 'vit_fashion_mnist', config: { imageSize: side, depth: 1, dim: 32, numClasses: 4 } } })), [], /does not fit the model: .*of another shape/],
    ['an unknown backend', () => write('m.json'), ['--backend', 'wasn'], /there is no backend 'wasn'; did you mean 'wasm'\?/],
  ] as const)('refuses %s in one sentence', async (_, make, more, sentence) => {
    mkdirSync(at('taken'), { recursive: true })
    writeFileSync(at('taken/last.safetensors'), '')
    const { code, out, err } = await captured('train', make(), ...(more.includes('--out' as never) ? [] : ['--out', at('never')]), ...more)
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(sentence)
    expect(err.split('\n')).toHaveLength(1)
  })
})

describe('vitrail eval', () => {
  it('shows how each class did, and writes a page', async () => {
    const { code, out } = await captured('eval', at('whole/best.safetensors'), '--data', at('whole.json'), '--report', at('eval.html'))
    expect(code).toBe(0)
    expect(out).toMatch(/^right {7}\d+\.\d\d % {2}\(95 % interval \d+\.\d\d % to \d+\.\d\d %\) of 20 samples\nloss/)
    for (const name of classes) expect(out).toMatch(new RegExp(`^${name} +5 +\\d+\\.\\d\\d %`, 'm'))
    expect(readFileSync(at('eval.html'), 'utf8')).toContain('<h2>Samples</h2>')
  })

  it('looks at the share that the training kept for validation, whatever seed it was given', async () => {
    const parted = write('parted.json', c => ({ ...c, data: { ...config.data, validation: 0.5 }, epochs: 1 }))
    expect((await captured('train', parted, '--seed', '3', '--out', at('parted'))).code).toBe(0)
    const file = valueOf(await openSafetensors(at('parted/best.safetensors'))())
    const { validation } = file.metadata
    await file.close()
    const { samples, accuracy, loss } = JSON.parse((await captured('eval', at('parted/best.safetensors'), '--data', parted, '--json')).out) as Readonly<Record<'samples' | 'accuracy' | 'loss', number>>
    const kept = JSON.parse(validation!) as Readonly<Record<'accuracy' | 'loss', number>>
    expect([samples, accuracy, loss]).toEqual([20, kept.accuracy, expect.closeTo(kept.loss, 5)])
  })

  it.each([
    ['data that are not there', ['--data', at('nowhere')], /nowhere: cannot be listed: no such file or folder/],
    ['IDX images without labels', ['--data', at('test-images'), '--kind', 'idx'], /--kind idx: needs the labels; pass --labels FILE/],
    ['weights of another model', ['--data', at('whole.json'), '--weights', at('again/last.safetensors').replace('again', 'typed')], /does not fit the model/],
  ] as const)('refuses %s', async (_, more, sentence) => {
    const { code, err } = await captured('eval', at('whole/best.safetensors'), ...more)
    expect(code).toBe(2)
    expect(err).toMatch(sentence)
  })
})
