import { pipe } from 'fp-ts/lib/function.js'
import { classToken, encoderBlock, flattenTokens, input, layerNorm, linear, named, patchEmbed, positionEmbed, repeat, takeToken } from '../../src/index.js'
import type { AnyModel } from '../../src/layers/core/model.js'
import type { Dataset } from '../../src/training/data/dataset.js'
import { fromArrays } from '../../src/training/data/fromArrays.js'
import { random } from '../../src/training/random.js'
import { valueOf } from '../support/either.js'

/** The side of the images, and the classes: stripes across, down, and both ways slanted. */
export const side = 12
export const classes = ['across', 'down', 'falling', 'rising'] as const

const at = (kind: number, x: number, y: number): number => [y, x, x + y, x - y][kind]!

/** Striped images with random phase, width and noise, the same for the same seed. */
export const stripes = (count: number, seed: number): Dataset => {
  const pixels = new Uint8Array(count * side * side)
  const labels = Int32Array.from({ length: count }, (_, i) => i % classes.length)
  labels.forEach((kind, i) => {
    const draw = random(seed, 'stripes', 0, i)
    const [phase, period] = [2 * Math.PI * draw.uniform(), 4 + 2 * draw.uniform()]
    for (let p = 0; p < side * side; p++) pixels[i * side * side + p] = Math.max(0, Math.min(255, 128 + 80 * Math.sin(phase + (2 * Math.PI * at(kind, p % side, Math.floor(p / side))) / period) + 30 * draw.normal()))
  })
  return valueOf(fromArrays({ images: pixels, labels, shape: [side, side, 1], classes, name: 'stripes' }))
}

/** A small ViT over them. */
export const smallVit = ({ depth = 2, dim = 32, dropPath = 0, dropout = 0, numClasses = classes.length as number } = {}): AnyModel =>
  pipe(
    input(side, side, 1),
    named('patch_embed', patchEmbed({ patchSize: 4, dim })),
    flattenTokens(),
    classToken(),
    positionEmbed(),
    repeat(depth, encoderBlock({ numHeads: 4, mlpRatio: 2, dropPath, dropout })),
    named('norm', layerNorm()),
    takeToken(0),
    named('head', linear(numClasses)),
  ) as unknown as AnyModel
