import { sameShape, sizeOf, type Shape } from '../../shape/shape.js'

type Numbers = Float32Array | Int32Array

/** `[batch, channels, …places] → [batch, …places, channels]`, or with `back` the other way. */
const moveChannels = (values: Numbers, batch: number, places: number, channels: number, back: boolean): Numbers => {
  const moved = values.slice()
  for (let b = 0; b < batch; b++)
    for (let p = 0; p < places; p++)
      for (let c = 0; c < channels; c++) {
        const [last, first] = [(b * places + p) * channels + c, (b * channels + c) * places + p]
        if (back) moved[first] = values[last]!
        else moved[last] = values[first]!
      }
  return moved
}

/** `[batch, tokens, channels] → [tokens, batch, channels]`. */
const swapFront = (values: Numbers, [batch, tokens, channels]: Shape): Numbers => {
  const swapped = values.slice()
  for (let b = 0; b < batch!; b++) for (let t = 0; t < tokens!; t++) swapped.set(values.subarray((b * tokens! + t) * channels!, (b * tokens! + t + 1) * channels!), (t * batch! + b) * channels!)
  return swapped
}

/**
 * A recorded input in our layout, channels last: `[batch, channels, height, width] → [batch, height, width,
 * channels]` for images, all else as it is. Nothing where it does not have our shape.
 */
const ours = (values: Numbers, recorded: Shape, shape: Shape): Numbers | undefined => {
  const [batch, channels] = recorded
  if (recorded.length === 4 && shape.length === 3 && sameShape(recorded.slice(1), [shape[2]!, shape[0]!, shape[1]!])) return moveChannels(values, batch!, shape[0]! * shape[1]!, channels!, false)
  return sameShape(recorded.slice(1), shape) ? values : undefined
}

/**
 * The ways in which values of ours, `[batch, …places, channels]`, may stand in a recording of a given shape:
 * as they are, with the places in one axis or in two, with channels before places where it has four axes, and with
 * tokens before the batch where it has three. A shape with as many channels as places leaves more than one. None where the sizes differ.
 */
const theirs = (values: Numbers, shape: Shape, recorded: Shape): readonly Numbers[] => {
  // What is the same for every sample has no batch axis here; ConViT's offsets were recorded with one, losses with two.
  const more = recorded.length - shape.length
  if (more > 0 && recorded.slice(0, more).every(size => size === 1) && sameShape(recorded.slice(more), shape)) return [values]
  const tokensFirst = recorded.length === 3 && shape.length === 3 && sameShape(recorded, [shape[1]!, shape[0]!, shape[2]!]) ? [swapFront(values, shape)] : []
  if (sizeOf(shape) !== sizeOf(recorded) || shape[0] !== recorded[0]) return tokensFirst
  if (shape.length < 2) return sameShape(shape, recorded) ? [values] : []
  const [batch, channels] = [shape[0]!, shape.at(-1)!]
  const places = sizeOf(shape) / (batch * channels)
  const asTheyAre = recorded.at(-1) === channels && (recorded.length >= 3) === (shape.length >= 3) ? [values] : []
  const channelsFirst = recorded.length === 4 && recorded[1] === channels ? [moveChannels(values, batch, places, channels, true)] : []
  return [...asTheyAre, ...channelsFirst, ...tokensFirst]
}

/** Between the reference's layout of a tensor and ours. */
export const layouts = { ours, theirs } as const
