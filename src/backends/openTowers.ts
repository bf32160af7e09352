import { left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { trace } from '../graph/trace.js'
import type { AnyModel, Model } from '../layers/core/model.js'
import { isTensor, type Tensor } from '../ops/tensor.js'
import { problem, type Problem } from '../shape/problem.js'
import { openSession, type SessionOptions } from './openSession.js'

/** A model of two towers, such as `clip`. */
export type TwoTowers = Model<never, { readonly image_features: readonly [number]; readonly text_features: readonly [number]; readonly scale: readonly [] }>

/** The towers of one model, each run on a batch of its own. */
export interface Towers {
  /** Pixels of images, one after the other → their features, each of length 1: `[images · dim]`. Errors: as a session's `run`. */
  readonly images: (pixels: Float32Array) => TaskEither<Problem, Float32Array>
  /** Tokens of texts, one after the other → their features, each of length 1: `[texts · dim]`. Errors: as a session's `run`. */
  readonly texts: (tokens: Int32Array) => TaskEither<Problem, Float32Array>
  /** Features of images and of texts → for each image, the scaled cosine with each text. */
  readonly similarities: (images: Float32Array, texts: Float32Array) => readonly (readonly number[])[]
  readonly dispose: () => void
}

/**
 * Opens a model of two towers so that they run apart: texts once, then any number of images. What is compared is
 * computed in double precision from features of length 1.
 *
 * Errors: `notTwoTowers`; those of `trace` and `openSession`.
 *
 * @example
 * const towers = await openTowers(pipe(inputs({ image: input(4), text: input(3) }), fanOut({ image_features: unnamed(serial(field('image'), linear(2))), text_features: unnamed(serial(field('text'), linear(2))) }), similarityScale()), { backend: wasm, weights: (_, shape) => async () => right(new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1)) })() // Either<Problem, Towers>
 */
export const openTowers = (model: TwoTowers, options: SessionOptions): TaskEither<Problem, Towers> => async () => {
  const traced = trace(model as AnyModel)
  if (traced._tag === 'Left') return traced
  const [inputs, output] = [traced.right.inputs, traced.right.output] as unknown as readonly [Readonly<Record<string, Tensor>>, Readonly<Record<string, Tensor>>]
  const { image_features: ofImages, text_features: ofTexts, scale } = output
  if (isTensor(traced.right.inputs) || inputs['image'] === undefined || inputs['text'] === undefined || ofImages === undefined || ofTexts === undefined || scale === undefined)
    return left(problem('notTwoTowers', 'the model does not take an image and a text and give image_features, text_features and scale', { remedy: 'end it with similarityScale(), as clip does' }))
  const opened = await openSession(
    { image: { inputs: { image: inputs['image'] }, outputs: { features: ofImages } }, text: { inputs: { text: inputs['text'] }, outputs: { features: ofTexts } }, scale: { inputs: {}, outputs: { scale } } },
    options,
  )()
  if (opened._tag === 'Left') return opened
  const session = opened.right
  const known = await session.run('scale', {})()
  if (known._tag === 'Left') {
    session.dispose()
    return known
  }
  const factor = (known.right['scale'] as Float32Array)[0]!
  const dim = ofImages.shape[0]!
  const features = (tower: 'image' | 'text', given: Float32Array | Int32Array): TaskEither<Problem, Float32Array> => async () => {
    const ran = await session.run(tower, { [tower]: given })()
    return ran._tag === 'Left' ? ran : right(unit(ran.right['features'] as Float32Array, dim))
  }
  return right({
    images: pixels => features('image', pixels),
    texts: tokens => features('text', tokens),
    similarities: (images, texts) => rows(images, dim).map(image => rows(texts, dim).map(text => factor * image.reduce((total, value, i) => total + value * text[i]!, 0))),
    dispose: () => session.dispose(),
  })
}

const rows = (features: Float32Array, dim: number): readonly Float32Array[] => Array.from({ length: features.length / dim }, (_, i) => features.subarray(i * dim, (i + 1) * dim))

const unit = (features: Float32Array, dim: number): Float32Array => {
  const scaled = features.slice()
  for (const row of rows(scaled, dim)) {
    const length = Math.hypot(...row)
    if (length > 0) row.forEach((value, i) => { row[i] = value / length })
  }
  return scaled
}
