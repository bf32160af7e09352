import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { encodeSafetensors } from '../../src/weights/encodeSafetensors.js'
import { openSafetensors } from '../../src/weights/openSafetensors.js'
import { parseSafetensors } from '../../src/weights/parseSafetensors.js'
import { fileOf, fixture, fixtureBytes, left, right } from './safetensorsFile.js'

const folder = mkdtempSync(join(tmpdir(), 'vitrail-open-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('a safetensors file on disk', () => {
  it('reads as the same bytes in memory do', async () => {
    const onDisk = right(await openSafetensors(fixture('dtypes.safetensors'))())
    const inMemory = right(parseSafetensors(fixtureBytes('dtypes.safetensors'), fixture('dtypes.safetensors')))
    expect(onDisk.metadata).toEqual(inMemory.metadata)
    expect([...onDisk.tensors]).toEqual([...inMemory.tensors])
    for (const name of onDisk.tensors.keys()) expect(await onDisk.read(name)()).toEqual(await inMemory.read(name)())
    await onDisk.close()
  })

  it('reads tensors of several chunks, and many at once', async () => {
    const data = Float32Array.from({ length: 2_500_000 }, (_, i) => i)
    const path = join(folder, 'large.safetensors')
    writeFileSync(path, right(encodeSafetensors([{ name: 'a', shape: [2_500_000], data }, { name: 'b', shape: [3], data: Int32Array.of(1, 2, 3), dtype: 'I64' }])))
    const file = right(await openSafetensors(path)())
    const [a, b] = await Promise.all([file.read('a')(), file.read('b')()])
    expect(Buffer.compare(Buffer.from(right(a).data.buffer), Buffer.from(data.buffer))).toBe(0)
    expect(right(b).data).toEqual(Int32Array.of(1, 2, 3))
    await file.close()
  })

  it('says so when it shrinks while open', async () => {
    const path = join(folder, 'shrinks.safetensors')
    writeFileSync(path, right(encodeSafetensors([{ name: 'a', shape: [100], data: new Float32Array(100) }])))
    const file = right(await openSafetensors(path)())
    truncateSync(path, 200)
    expect(left(await file.read('a')()).sentence).toBe(`${path}: "a" cannot be read: it ends at byte 200`)
    await file.close()
  })

  it('says so when it is read after it was closed, which may happen twice', async () => {
    const file = right(await openSafetensors(fixture('dtypes.safetensors'))())
    await file.close()
    await file.close()
    expect(left(await file.read('f16')()).sentence).toMatch(/"f16" cannot be read: the file has been closed$/)
  })

  it('is a Problem if it is missing, a folder, or malformed', async () => {
    expect(left(await openSafetensors(join(folder, 'none'))()).code).toBe('fileUnreadable')
    expect(left(await openSafetensors(folder)()).sentence).toBe(`${folder}: not a regular file`)
    const cases: ReadonlyArray<readonly [Uint8Array, string]> = [
      [new Uint8Array(0), 'fileTooShort'],
      [new Uint8Array(5), 'fileTooShort'],
      [fileOf('[]'), 'headerMalformed'],
      [fileOf('{}', 4), 'dataHole'],
      [fixtureBytes('dtypes.safetensors').slice(0, -1), 'offsetsBeyondData'],
    ]
    for (const [bytes, code] of cases) {
      const path = join(folder, 'bad.safetensors')
      writeFileSync(path, bytes)
      expect(left(await openSafetensors(path)()).code).toBe(code)
    }
  })
})
