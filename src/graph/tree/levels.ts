import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { isTensor } from '../../ops/tensor.js'
import { problem, type Problem } from '../../shape/problem.js'
import { trace } from '../trace.js'
import { modelOf, type HasModel } from './features.js'

/** A map that a hierarchical backbone comes to, at one of its sizes. */
export interface Level {
  /** Where it is: what `features` and `expose` take. */
  readonly path: string
  /** How many pixels of the image a place of it is high and wide. */
  readonly stride: number
  readonly channels: number
}

/**
 * The maps of a model of images, the finest first: for each size the last one of it, as feature pyramids take them (Lin et
 * al., 2017, section 3), what is inside numbered `blocks` aside. A ViT, whose tokens are no map, has that of its patches alone.
 *
 * Errors: those of `trace`; `notAnImageModel`.
 *
 * @example
 * levels(pipe(input(8, 8, 3), stages(conv2d({ dim: 4, kernelSize: 2, stride: 2 }), conv2d({ dim: 6, kernelSize: 2, stride: 2 })))).right // [{ path: 'stages.0', stride: 2, channels: 4 }, { path: 'stages', stride: 4, channels: 6 }]
 */
export const levels = (subject: HasModel): Either<Problem, readonly Level[]> => {
  const traced = trace(modelOf(subject))
  if (traced._tag === 'Left') return traced
  const { inputs, features } = traced.right
  if (!isTensor(inputs) || inputs.shape.length !== 3) return left(problem('notAnImageModel', 'levels: this model does not take an image of height×width×channels'))
  const [height, width] = inputs.shape as readonly [number, number, number]
  const found = new Map<number, Level>()
  for (const [path, signal] of features) {
    // A block that halves the map has the size before inside it.
    if (!isTensor(signal) || !signal.batched || signal.shape.length !== 3 || path.endsWith('.weights') || /(^|\.)blocks\.\d+\./.test(path)) continue
    const [rows, columns, channels] = signal.shape as readonly [number, number, number]
    const stride = height / rows
    if (Number.isInteger(stride) && stride === width / columns) found.set(stride, { path, stride, channels })
  }
  return right([...found.values()].sort((a, b) => a.stride - b.stride))
}
