import { pipe } from 'fp-ts/lib/function.js'
import { expect, it } from 'vitest'
import { defineLayer, encoderBlock, input, linear, ops, serial, type AnyLayer, type AnyModel, type Layer, type Same } from '../../src/index.js'
import { lawMatchers, laws, type LawMatchers } from '../../src/testing/index.js'

expect.extend(lawMatchers)
declare module 'vitest' {
  interface Matchers<T> extends LawMatchers {}
}

const mixing = (): Layer<Same> => defineLayer<Same>('mixing', mixing as () => AnyLayer, [], { forward: x => ops.subtract(x, ops.batchMean(x)) })
const good = pipe(input(5, 8), encoderBlock({ numHeads: 2 }), linear(3))
const bad = pipe(input(5, 8), serial(encoderBlock({ numHeads: 2 }), mixing()), linear(3))

const messageOf = async (check: Promise<unknown>): Promise<string> => check.then(() => '', (fault: Error) => fault.message)

it('toObey passes where a law holds or says nothing', async () => {
  await expect(good).toObey(laws.batchIndependence)
  await expect(good).toObey(laws.windowsKeepApart)
})

it('toObey says what is broken, and what that means', async () => {
  expect(await messageOf(expect(bad).toObey(laws.batchIndependence))).toMatch(/^running a batch is running each of its samples: by definition, the output at .*\nSamples of a batch are mixed: /)
  await expect(bad).not.toObey(laws.batchIndependence)
})

it('toObey says why a model cannot be checked', async () => {
  expect(await messageOf(expect(pipe(input(5, 8), linear(0.5)) as unknown as AnyModel).toObey(laws.batchIndependence))).toMatch(/^batchIndependence: linear: dim must be a whole number/)
})

it('toObeyLaws finds the layer at fault in a model, and the smallest recipe with it', async () => {
  await expect(good).toObeyLaws()
  const told = await messageOf(expect(bad).toObeyLaws())
  expect(told).toMatch(/^mixing breaks batchIndependence, 'running a batch is running each of its samples': by definition/)
  expect(told).toMatch(/The smallest recipe found that fails:\n\nimport [^]*mixing\(\),\n\)/)
})

it('toObeyLaws can be told which laws count', async () => {
  await expect(bad).toObeyLaws({ laws: [laws.nothingLeaks, laws.jsonRoundTrip] })
})
