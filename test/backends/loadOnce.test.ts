import { left, right } from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { describe, expect, it } from 'vitest'
import { compile } from '../../src/backends/compile.js'
import type { Weights } from '../../src/backends/loadOnce.js'
import { reference } from '../../src/backends/reference/index.js'
import { input, linear } from '../../src/index.js'
import { problem } from '../../src/shape/problem.js'
import { sizeOf } from '../../src/shape/shape.js'
import { problemOf, valueOf } from '../support/either.js'

const model = pipe(input(2), linear(3), linear(4), linear(5))
const later = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 2))

describe('weights that are read one by one', () => {
  it('are never asked for two at a time, and the next before the last is needed', async () => {
    const log: string[] = []
    let reading = 0
    const weights: Weights = (name, shape) => async () => {
      expect(++reading).toBe(1)
      log.push(`reads ${name}`)
      await later()
      reading--
      return right(new Float32Array(sizeOf(shape)))
    }
    const watched = { name: reference.name, open: async () => {
      const device = valueOf(await reference.open())
      return right({ ...device, upload: (...given: Parameters<typeof device.upload>) => {
        log.push('uploads')
        return device.upload(...given)
      } })
    } }
    valueOf(await compile(model, { backend: watched as typeof reference, weights })())
    expect(log.filter(line => line !== 'uploads')).toHaveLength(6)
    expect(log.slice(0, 5).map(line => line.split(' ')[0])).toEqual(['reads', 'reads', 'uploads', 'reads', 'uploads'])
    expect(log.filter(line => line === 'uploads')).toHaveLength(6)
  })

  it('may fail while the next is being read, which then fails unheard', async () => {
    let asked = 0
    const weights: Weights = (name, shape) => async () => {
      const turn = asked++
      if (turn > 1) throw new Error('the source has gone')
      await later()
      return turn === 1 ? left(problem('missingWeight', `no ${name}`)) : right(new Float32Array(sizeOf(shape)))
    }
    expect(problemOf(await compile(model, { backend: reference, weights })()).code).toBe('missingWeight')
    await later()
    expect(asked).toBe(3)
  })
})
