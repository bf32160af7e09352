import { mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import type * as FileSystem from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { encodeSafetensors } from '../../src/weights/encodeSafetensors.js'
import type { TensorToStore } from '../../src/weights/encodedLayout.js'
import { writeSafetensors } from '../../src/weights/writeSafetensors.js'
import { left, right } from './safetensorsFile.js'

// The disk fills up at the given write, or fails to flush: faults that cannot be had from a real one.
const fault = vi.hoisted(() => ({ writes: Infinity, sync: false }))
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof FileSystem>()
  const open = async (...args: Parameters<typeof real.open>): Promise<FileSystem.FileHandle> => {
    const file = await real.open(...args)
    const { writeFile, sync } = file
    file.writeFile = async (...rest) => {
      if (fault.writes-- <= 0) throw new Error('ENOSPC: no space left on device')
      await writeFile.apply(file, rest)
    }
    file.sync = async () => {
      if (fault.sync) throw new Error('EIO: i/o error')
      await sync.call(file)
    }
    return file
  }
  return { ...real, open }
})

const tensors: readonly TensorToStore[] = [
  { name: 'w', shape: [3, 500_000], data: new Float32Array(1_500_000).fill(0.5) },
  { name: 'i', shape: [2], data: Int32Array.of(-1, 1), dtype: 'I64' },
]

describe('writing a safetensors file', () => {
  let folder = ''
  let path = ''
  beforeEach(() => {
    Object.assign(fault, { writes: Infinity, sync: false })
    folder = mkdtempSync(join(tmpdir(), 'vitrail-write-'))
    path = join(folder, 'model.safetensors')
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('gives the bytes of the encoder, and leaves nothing else behind', async () => {
    writeFileSync(path, 'old')
    right(await writeSafetensors(path, tensors, { step: '100' })())
    expect(Buffer.compare(readFileSync(path), right(encodeSafetensors(tensors, { step: '100' })))).toBe(0)
    expect(readdirSync(folder)).toEqual(['model.safetensors'])
  })

  it('does nothing before it is run', () => {
    writeSafetensors(path, tensors)
    expect(readdirSync(folder)).toEqual([])
  })

  it.each([[0, 'the header'], [1, 'the first tensor'], [2, 'a later chunk']])('keeps the old file when write %i, of %s, fails', async (writes) => {
    writeFileSync(path, 'old')
    fault.writes = writes
    expect(left(await writeSafetensors(path, tensors)())).toMatchObject({
      code: 'fileUnwritable',
      sentence: `${path}: cannot be written: no space left on device`,
    })
    expect(readFileSync(path, 'utf8')).toBe('old')
    expect(readdirSync(folder)).toEqual(['model.safetensors'])
  })

  it('keeps the old file when the disk fails to flush', async () => {
    writeFileSync(path, 'old')
    fault.sync = true
    expect(left(await writeSafetensors(path, tensors)()).code).toBe('fileUnwritable')
    expect(readFileSync(path, 'utf8')).toBe('old')
    expect(readdirSync(folder)).toEqual(['model.safetensors'])
  })

  it('keeps the old file when the tensors cannot be stored', async () => {
    writeFileSync(path, 'old')
    expect(left(await writeSafetensors(path, [{ name: 'a', shape: [2], data: new Float32Array(1) }])()).code).toBe('sizeMismatch')
    expect(readFileSync(path, 'utf8')).toBe('old')
  })

  it('removes the temporary when something in the way cannot be replaced', async () => {
    mkdirSync(join(path, 'inside'), { recursive: true })
    expect(left(await writeSafetensors(path, tensors)()).code).toBe('fileUnwritable')
    expect(readdirSync(folder)).toEqual(['model.safetensors'])
  })

  it('is a Problem where there is no folder', async () => {
    expect(left(await writeSafetensors(join(folder, 'none', 'a'), [])()).code).toBe('fileUnwritable')
  })

  it('keeps a symbolic link and replaces what it points to', async () => {
    writeFileSync(join(folder, 'real'), 'old')
    symlinkSync('real', path)
    right(await writeSafetensors(path, [])())
    expect(readlinkSync(path)).toBe('real')
    expect(Buffer.compare(readFileSync(join(folder, 'real')), right(encodeSafetensors([])))).toBe(0)
  })
})
