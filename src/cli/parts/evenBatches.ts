import { collectNodes } from '../../graph/graph.js'
import type { InputSpec } from '../../layers/core/model.js'
import { isOp, type Tensor } from '../../ops/tensor.js'
import { sizeOf } from '../../shape/shape.js'

type Numbers = Float32Array | Int32Array

/** What a model is fed, of one number of samples, and how many there were of each input. */
export interface EvenBatches {
  readonly values: unknown
  readonly batch: number
  /** By the input's name; that of a model with one input is `x`. */
  readonly samples: Readonly<Record<string, number>>
}

/**
 * Inputs that were recorded with different numbers of samples (two images and four texts), as one batch of as many as
 * the most: the others begin again with their first. What a tower makes of a sample does not depend on the rest, so the
 * first results are its own.
 */
export const evenBatches = (values: unknown, spec: InputSpec): EvenBatches => {
  const samples: Record<string, number> = {}
  count(values, spec, undefined, samples)
  const batch = Math.max(...Object.values(samples))
  return { values: evened(values, spec, batch), batch, samples }
}

/** How many of a batch's results a tensor has of its own: as many as the inputs it depends on, where they agree. */
export const ownSamples = (x: Tensor, { batch, samples }: Omit<EvenBatches, 'values'>): number => {
  const counts = new Set(collectNodes([x]).flatMap(node => (isOp(node, 'input') ? [samples[node.attributes.name] ?? batch] : [])))
  const [only] = counts
  return counts.size === 1 ? only! : batch
}

const count = (values: unknown, spec: InputSpec, name: string | undefined, samples: Record<string, number>): void => {
  if ('fields' in spec) for (const [field, inner] of Object.entries(spec.fields)) count((values as Readonly<Record<string, unknown>>)[field], inner, name === undefined ? field : `${name}.${field}`, samples)
  else samples[name ?? 'x'] = (values as Numbers).length / sizeOf(spec.shape)
}

const evened = (values: unknown, spec: InputSpec, batch: number): unknown => {
  if ('fields' in spec) return Object.fromEntries(Object.entries(spec.fields).map(([field, inner]) => [field, evened((values as Readonly<Record<string, unknown>>)[field], inner, batch)]))
  const given = values as Numbers
  const length = batch * sizeOf(spec.shape)
  if (given.length === length) return given
  const repeated = given instanceof Int32Array ? new Int32Array(length) : new Float32Array(length)
  return repeated.map((_, i) => given[i % given.length]!)
}
