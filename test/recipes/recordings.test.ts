import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { cpu } from '../../src/backends/cpu/index.js'
import { reference } from '../../src/backends/reference/index.js'
import { wasm } from '../../src/backends/wasm/index.js'
import { compareAll } from '../../src/cli/parts/compareAll.js'
import { openRecording } from '../../src/cli/parts/recording.js'
import { replay } from '../../src/cli/parts/replay.js'
import { valueOf } from '../support/either.js'

const folder = 'test/fixtures/recordings/'
const files = readdirSync(folder).sort().flatMap(family => readdirSync(folder + family).sort().map(file => `${family}/${file}`))
const backends = [[reference, 5e-6], [cpu, 2e-5], [wasm, 2e-5]] as const

describe.each(files)('the recording %s', file => {
  it.each(backends.map(([backend, tolerance]) => [backend.name, backend, tolerance] as const))('is reproduced on every key by %s', async (_, backend, tolerance) => {
    const recording = valueOf(await openRecording(folder + file)())
    const { values } = valueOf(await replay(recording, backend)())
    expect(values.size).toBeGreaterThan(0)
    const compared = valueOf(await compareAll(recording, values, { outputs: tolerance, gradients: 1e-4 })())
    for (const [key, { comparison }] of compared) expect({ key, ...comparison }).toMatchObject({ key, ok: true })
    await recording.close()
  })
})

it('every gradient that was recorded is compared', async () => {
  const gradients = files.filter(file => file.includes('.grad'))
  expect(gradients.length).toBeGreaterThanOrEqual(10)
  for (const file of gradients) {
    const recording = valueOf(await openRecording(folder + file)())
    const { values, notCompared } = valueOf(await replay(recording, cpu)())
    expect(notCompared).toEqual([])
    expect([...values].filter(([, value]) => 'missing' in value)).toEqual([])
    expect([...values.keys()]).toEqual(expect.arrayContaining(['@out/loss', '@grad_in/x']))
    await recording.close()
  }
})

it('batch normalisation in training gives the running statistics that were recorded', async () => {
  const recording = valueOf(await openRecording(`${folder}coatnet/coatnet_paper_a.grad_train.safetensors`)())
  const { values } = valueOf(await replay(recording, reference)())
  expect([...values.keys()].filter(key => key.startsWith('@after/')).length).toBe(20)
  await recording.close()
})
