import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, mkdirSync, readFileSync, watch, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { files } from '../../src/training/checkpoint/checkpoints.js'
import { random } from '../../src/training/random.js'
import { root } from '../conventions/sources.js'
import { writeIdx } from './idxFiles.js'
import { classes, side, stripes } from './stripes.js'

/** How often it is killed. */
const kills = process.env['VITRAIL_DEEP'] === '1' ? 20 : 4

const folder = mkdtempSync(join(tmpdir(), 'killed-'))
const config = {
  model: { recipe: 'vit_fashion_mnist', config: { imageSize: side, depth: 1, dim: 16, numClasses: 4, dropPath: 0.2, dropout: 0.1 } },
  data: { kind: 'idx', images: 'stripes-images', labels: 'stripes-labels', classes, validation: 0.2 },
  steps: 15 * kills, batchSize: 8, seed: 4, average: 0.9, validateEvery: 7, checkpointEvery: 3,
  optimiser: { name: 'adamw' }, schedule: { name: 'cosine', config: { rate: 0.01 } }, warmup: { steps: 5 },
}

/** The exit code of a training in a process of its own, or nothing where it was killed. */
const run = (out: string, resume: boolean, killer?: (kill: () => void) => () => void): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'dist/bundle/cli.js'), 'train', join(folder, 'config.json'), '--out', out, ...(resume ? ['--resume'] : [])], { stdio: ['ignore', 'ignore', 'pipe'] })
    const said: string[] = []
    child.stderr.on('data', (text: Buffer) => said.push(text.toString()))
    const release = killer?.(() => child.kill('SIGKILL'))
    child.on('close', (code, signal) => {
      release?.()
      if (signal === 'SIGKILL') resolve(undefined)
      else if (code === 0) resolve(0)
      else reject(new Error(`exit code ${code}: ${said.join('')}`))
    })
  })

/** Kills once so many more lines of metrics have been written, and a little later. */
const afterLines = (out: string, more: number, delay: number) => (kill: () => void): (() => void) => {
  const lines = (): number => (existsSync(join(out, files.metrics)) ? readFileSync(join(out, files.metrics), 'latin1').split('\n').length : 0)
  const last = (): string => (lines() === 0 ? '' : readFileSync(join(out, files.metrics), 'latin1').slice(-20))
  // Resuming cuts lines off, so that what counts begins when the file has changed.
  const before = last()
  let begun: number | undefined
  const timer = setInterval(() => {
    if (begun === undefined && last() !== before) begun = lines()
    if (begun !== undefined && lines() >= begun + more) {
      clearInterval(timer)
      setTimeout(kill, delay)
    }
  }, 2)
  return () => clearInterval(timer)
}

/** Kills while the nth checkpoint from now is being written: when its temporary file has appeared. */
const whileWriting = (out: string, nth: number) => (kill: () => void): (() => void) => {
  mkdirSync(out, { recursive: true })
  const seen = new Set<string>()
  const watcher = watch(out, (_, name) => {
    if (name?.endsWith('.tmp') === true && seen.add(name).size === nth) kill()
  })
  return () => watcher.close()
}

it(`killed at ${kills} moments, also while it writes a checkpoint, a training ends with the same bytes as if it had not been`, async () => {
  await writeIdx(folder, 'stripes', stripes(80, 1))
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  const [whole, killed] = [join(folder, 'whole'), join(folder, 'killed')]
  const undisturbed = run(whole, false)
  let count = 0
  for (; count < kills; count++) {
    const draw = random(1, 'kills', count)
    const killer = count % 2 === 0 ? afterLines(killed, draw.below(14), draw.below(12)) : whileWriting(killed, 1 + draw.below(4))
    expect(await run(killed, count > 0, killer), `kill ${count + 1}`).toBeUndefined()
  }
  expect(await run(killed, true)).toBe(0)
  expect(await undisturbed).toBe(0)
  for (const name of [files.last, files.previous, files.best, files.metrics, files.report]) expect(readFileSync(join(killed, name)).equals(readFileSync(join(whole, name))), name).toBe(true)
}, 400_000)
