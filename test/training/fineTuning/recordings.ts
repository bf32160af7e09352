import { readFileSync } from 'node:fs'
import { reference } from '../../../src/backends/reference/index.js'
import { compile, parseSafetensors, type AnyModel, type Model, type Shape } from '../../../src/index.js'
import { valueOf } from '../../support/either.js'

/** What timm and PyTorch made of weights at other sizes; see the script beside it. */
export const recordings = valueOf(parseSafetensors(new Uint8Array(readFileSync(new URL('../../fixtures/fineTuning/fineTuning.safetensors', import.meta.url))), 'fineTuning.safetensors'))

/** A recorded tensor. */
export const recorded = async (name: string): Promise<Float32Array> => valueOf(await recordings.read(name)()).data as Float32Array

/** The recorded tensors below a name. */
export const recordedBelow = async (prefix: string): Promise<Map<string, Float32Array>> => {
  const names = [...recordings.tensors.keys()].filter(name => name.startsWith(`${prefix}/`))
  return new Map(await Promise.all(names.map(async name => [name.slice(prefix.length + 1), await recorded(name)] as const)))
}

/** What a model gives, on the backend that defines it. */
export const outputOf = async (m: AnyModel, weights: ReadonlyMap<string, Float32Array>, x: Float32Array): Promise<Float32Array> => {
  const program = valueOf(await compile(m as unknown as Model<Shape, Shape>, { backend: reference, weights })())
  const output = valueOf(await program.run(x)())
  program.dispose()
  return output
}

/** The largest difference, as a part of the largest element. */
export const differenceOf = (found: ArrayLike<number>, expected: ArrayLike<number>): number => {
  if (found.length !== expected.length) return Infinity
  let [worst, scale] = [0, 0]
  for (let i = 0; i < found.length; i++) {
    worst = Math.max(worst, Math.abs(found[i]! - expected[i]!))
    scale = Math.max(scale, Math.abs(expected[i]!))
  }
  return worst / scale
}
