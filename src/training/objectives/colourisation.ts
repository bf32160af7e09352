import { left } from 'fp-ts/lib/Either.js'
import { isTensor } from '../../ops/tensor.js'
import { problem } from '../../shape/problem.js'
import { imageOf } from './imageOf.js'
import type { Objective } from './objective.js'
import { restoration, type Damage } from './restoration.js'

/**
 * Learning to give grey images their colours back (Zhang et al., 2016, "Colorful image colorization", here with the square
 * error of their equation 1, on pixels): the model sees the luma of ITU-R 601 in every channel, and gives patches of pixels.
 *
 * Errors of its aim: those of `restoration`; `notInColour`.
 *
 * @example
 * colourisation().name // 'colourisation'
 */
export const colourisation = (): Objective => {
  const restored = restoration('colourisation', {}, grey)
  return {
    ...restored,
    aim: subject => {
      const image = imageOf(subject.learning)
      return isTensor(image) && image.shape[2] === 1 ? left(problem('notInColour', 'train: the model takes grey images, which have no colours to give back', { remedy: 'take images in colour: channels: 3' })) : restored.aim(subject)
    },
  }
}

const luma = [0.299, 0.587, 0.114]

const grey: Damage = (image, _, { height, width, channels, mean, std }) => {
  const at = (values: readonly number[], c: number): number => values[c] ?? values[0]!
  const weights = channels === luma.length ? luma : Array.from({ length: channels }, () => 1 / channels)
  const shown = new Float32Array(image.length)
  for (let i = 0; i < image.length; i += channels) {
    const light = weights.reduce((sum, weight, c) => sum + weight * (image[i + c]! * at(std, c) + at(mean, c)), 0)
    for (let c = 0; c < channels; c++) shown[i + c] = (light - at(mean, c)) / at(std, c)
  }
  return { shown, lost: new Float32Array(height * width).fill(1) }
}
