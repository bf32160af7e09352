import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Checkpoint } from '../../src/training/checkpoint/checkpoint.js'
import { checkpoints, files } from '../../src/training/checkpoint/checkpoints.js'
import { digestOf } from '../../src/training/checkpoint/digest.js'
import { makeFolder } from '../../src/training/checkpoint/makeFolder.js'
import { noProgress } from '../../src/training/checkpoint/progress.js'
import { readCheckpoint } from '../../src/training/checkpoint/readCheckpoint.js'
import { writeCheckpoint } from '../../src/training/checkpoint/writeCheckpoint.js'
import { writeSafetensors } from '../../src/weights/writeSafetensors.js'
import { problemOf, valueOf } from '../support/either.js'

const folder = (): string => mkdtempSync(join(tmpdir(), 'checkpoint-'))

const at = (step: number): Checkpoint => ({
  weights: [{ name: 'head.weight', shape: [2, 3], data: Float32Array.of(1, -0, 1e-40, 3.4e38, step, 6) }],
  state: [{ name: '@optimiser/m/head.weight', shape: [2, 3], data: new Float32Array(6).fill(step / 3) }],
  progress: { ...noProgress, step, isDue: step % 2 === 0, sums: { loss: 0.1 + 0.2, correct: 3, samples: 8 }, best: { step: 1, value: 1 / 3 } },
  config: { batchSize: 8, optimiser: { name: 'adamw', config: { betas: [0.9, 0.999] } }, note: 'say "sha256":"0"' },
  about: { recipe: 'vit', labels: '["a","b"]' },
})

describe('a folder', () => {
  it('is made with those around it, by several at once, and the first that was made is told', async () => {
    const root = folder()
    expect([await makeFolder(join(root, 'a/b')), await makeFolder(join(root, 'a/b'))]).toEqual([join(root, 'a'), undefined])
    await Promise.all([1, 2, 3].map(() => makeFolder(join(root, 'a/b/c/d'))))
    expect(readdirSync(join(root, 'a/b/c'))).toEqual(['d'])
  })

  it('that cannot be made is refused for the reason itself: a file or a broken link in its way', async () => {
    const root = folder()
    writeFileSync(join(root, 'file'), '')
    symlinkSync('nowhere', join(root, 'link'))
    for (const name of ['file', 'file/a', 'link', 'link/a']) await expect(makeFolder(join(root, name))).rejects.toMatchObject({ code: 'EEXIST' })
    if (process.platform === 'linux') await expect(makeFolder('/proc/vitrail')).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('a checkpoint', () => {
  it('is read as it was written, to the bit', async () => {
    const path = join(folder(), 'a.safetensors')
    valueOf(await writeCheckpoint(path, at(3))())
    expect(valueOf(await readCheckpoint(path)())).toEqual(at(3))
  })

  it('has bytes that depend on what is in it alone, and not on the order of its tensors', async () => {
    const [a, b] = [join(folder(), 'a.safetensors'), join(folder(), 'b.safetensors')]
    const two = { ...at(3), weights: [...at(3).weights, { name: 'head.bias', shape: [1], data: Float32Array.of(7) }] }
    valueOf(await writeCheckpoint(a, two)())
    valueOf(await writeCheckpoint(b, { ...two, weights: [...two.weights].reverse() })())
    expect(readFileSync(a)).toEqual(readFileSync(b))
  })

  it('says its own SHA-256: that of the file with zeros in its place', async () => {
    const path = join(folder(), 'a.safetensors')
    valueOf(await writeCheckpoint(path, at(3))())
    const text = readFileSync(path).toString('latin1')
    const [, said] = /"sha256":"([0-9a-f]{64})"/.exec(text)!
    expect(createHash('sha256').update(Buffer.from(text.replace(said!, '0'.repeat(64)), 'latin1')).digest('hex')).toBe(said)
  })

  it('has the digest of its bytes also where there is nothing in it', async () => {
    // The header of an empty file, by hand: 8 bytes of length, JSON, spaces up to a multiple of 8.
    const json = `{"__metadata__":{"sha256":"${'0'.repeat(64)}"}}`.padEnd(96, ' ')
    const length = Buffer.alloc(8)
    length.writeUInt32LE(json.length)
    expect(valueOf(await digestOf([], {}))).toBe(createHash('sha256').update(length).update(json).digest('hex'))
  })

  it('is refused where any byte of it is another, or the end of it is missing', async () => {
    const path = join(folder(), 'a.safetensors')
    valueOf(await writeCheckpoint(path, at(3))())
    const whole = readFileSync(path)
    const codes = new Set<string>()
    for (let i = 0; i < whole.length; i += 7) {
      const altered = Buffer.from(whole)
      altered[i]! ^= 1
      writeFileSync(path, altered)
      codes.add(problemOf(await readCheckpoint(path)()).code)
    }
    // A changed letter in the name of the digest or of the format makes it a file of plain weights.
    expect([...codes].filter(code => !['checkpointDamaged', 'notACheckpoint', 'checkpointTooNew'].includes(code))).toEqual([])
    for (const length of [0, 5, 100, whole.length - 1]) {
      writeFileSync(path, whole.subarray(0, length))
      expect(problemOf(await readCheckpoint(path)()).code).toBe('checkpointDamaged')
    }
  })

  it('is told from weights, and from a later format', async () => {
    const path = join(folder(), 'a.safetensors')
    valueOf(await writeSafetensors(path, at(1).weights, { recipe: 'vit' })())
    expect(problemOf(await readCheckpoint(path)())).toMatchObject({ code: 'notACheckpoint', remedy: expect.stringContaining('weights to begin with') as string })
    valueOf(await writeSafetensors(path, at(1).weights, { vitrail: 'checkpoint/2', training: '{}', sha256: '' })())
    expect(problemOf(await readCheckpoint(path)()).code).toBe('checkpointTooNew')
  })
})

describe('the checkpoints of a folder', () => {
  it('are the last and the one before it', async () => {
    const place = folder()
    for (const step of [1, 2, 3]) valueOf(await checkpoints.keep(place, at(step))())
    expect(readdirSync(place).sort()).toEqual([files.last, files.previous])
    expect(valueOf(await checkpoints.latest(place)()).checkpoint.progress.step).toBe(3)
    expect(valueOf(await readCheckpoint(join(place, files.previous))()).progress.step).toBe(2)
  })

  it('give the one before where the last is damaged, and say why', async () => {
    const place = folder()
    for (const step of [1, 2]) valueOf(await checkpoints.keep(place, at(step))())
    writeFileSync(join(place, files.last), readFileSync(join(place, files.last)).subarray(0, 200))
    const found = valueOf(await checkpoints.latest(place)())
    expect(found.checkpoint.progress.step).toBe(1)
    expect(found.damaged).toMatchObject({ file: join(place, files.last), problem: { code: 'checkpointDamaged' } })
    await checkpoints.tidy(place, found.damaged)
    expect(readdirSync(place).sort()).toEqual([files.damaged, files.previous])
    // Killed between the two renames, nothing is amiss.
    expect(valueOf(await checkpoints.latest(place)()).damaged).toBeUndefined()
  })

  it('are not passed over for another reason: a later format, plain weights, a file that may not be read', async () => {
    const place = folder()
    for (const step of [1, 2]) valueOf(await checkpoints.keep(place, at(step))())
    const last = join(place, files.last)
    valueOf(await writeSafetensors(last, at(1).weights, { vitrail: 'checkpoint/2', training: '{}', sha256: '' })())
    expect(problemOf(await checkpoints.latest(place)()).code).toBe('checkpointTooNew')
    valueOf(await writeSafetensors(last, at(1).weights)())
    expect(problemOf(await checkpoints.latest(place)()).code).toBe('notACheckpoint')
    // Nobody's permissions stop root, but neither can root read a folder as a file.
    rmSync(last)
    mkdirSync(last)
    expect(problemOf(await checkpoints.latest(place)())).toMatchObject({ code: 'fileUnreadable', sentence: `${last}: not a regular file` })
  })

  it('are none in an empty folder, and say so', async () => {
    expect(problemOf(await checkpoints.latest(folder())())).toMatchObject({ code: 'nothingToResume', remedy: 'start without resuming' })
  })

  it('are damaged where both are', async () => {
    const place = folder()
    for (const step of [1, 2]) valueOf(await checkpoints.keep(place, at(step))())
    for (const name of [files.last, files.previous]) writeFileSync(join(place, name), 'no more')
    expect(problemOf(await checkpoints.latest(place)()).code).toBe('checkpointDamaged')
  })

  it('are rid of what killed writes have left behind, and of nothing else', async () => {
    const place = folder()
    for (const name of ['.vitrail-0b9c2b1e-0000-4000-8000-000000000000.tmp', 'metrics.jsonl', '.keep']) writeFileSync(join(place, name), '')
    await checkpoints.tidy(place)
    expect(readdirSync(place).sort()).toEqual(['.keep', 'metrics.jsonl'])
  })
})
