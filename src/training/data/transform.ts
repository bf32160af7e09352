import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../../shape/problem.js'
import type { Random } from '../random.js'
import type { Sample } from './image.js'
import { reasonOf } from '../../shape/reasonOf.js'

/**
 * Makes another sample of a decoded one, before it is resized to what the model takes; a sample that comes back at
 * that size is only normalised. All chance must come from `random`, which is the sample's own in that epoch.
 */
export type Transform = (sample: Sample, random: Random) => Sample

/**
 * Where a worker finds a transform: the export `name` of a JavaScript module (a URL, an absolute path, or the name of a
 * package), a function from `options` to the transform.
 */
export interface TransformModule {
  readonly module: string | URL
  readonly name: string
  /** Handed to the worker by structured clone: plain data. */
  readonly options?: unknown
}

/**
 * The transform that a module exports. Errors: `transformMissing`.
 *
 * @example
 * await loadTransform({ module: 'node:path', name: 'flip' }) // left({ code: 'transformMissing', sentence: 'node:path: exports no function called flip', path: '' })
 */
export const loadTransform = async ({ module, name, options }: TransformModule): Promise<Either<Problem, Transform>> => {
  try {
    const made: unknown = ((await import(await importable(module))) as Readonly<Record<string, unknown>>)[name]
    if (typeof made !== 'function') return left(problem('transformMissing', `${module}: exports no function called ${name}`))
    const transform: unknown = made(options)
    return typeof transform === 'function' ? right(transform as Transform) : left(problem('transformMissing', `${module}: ${name} gives no transform: it must be a function from options to a function from samples to samples`))
  } catch (cause) {
    return left(problem('transformMissing', `${module}: does not load: ${reasonOf(cause)}`))
  }
}

/** Of a path, `import` takes `C:` for a protocol, and `#` and `%` for parts of a URL. Beyond Node there are no paths. */
const importable = async (module: string | URL): Promise<string> => {
  const text = String(module)
  if (!/^(\/|[a-z]:[\\/])/i.test(text) || typeof process !== 'object') return text
  const { pathToFileURL } = await import('node:url')
  return pathToFileURL(text).href
}

/**
 * A sample through a transform, and whether what came back is a sample. Errors: `transformFailed`.
 */
export const applyTransform = (transform: Transform, sample: Sample, random: Random): Either<Problem, Sample> => {
  try {
    const made = transform(sample, random)
    const { height, width, channels, pixels } = made
    return pixels.length > 0 && pixels.length === height * width * channels ? right(made) : left(problem('transformFailed', `the transform gives ${pixels.length} values as an image of ${height}×${width}×${channels}`, { path: sample.name }))
  } catch (cause) {
    return left(problem('transformFailed', `the transform throws: ${reasonOf(cause)}`, { path: sample.name }))
  }
}
