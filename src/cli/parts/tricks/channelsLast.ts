import { layouts } from '../layouts.js'
import { Misread, type RecordedTensor } from './recorded.js'

/** A batch of images or maps, `[batch, channels, height, width]`, as ours are: channels last. */
export const channelsLast = ({ shape, data }: RecordedTensor): RecordedTensor => {
  const [batch, channels, height, width] = shape as [number, number, number, number]
  const values = layouts.ours(Float32Array.from(data), shape, [height, width, channels])
  if (values === undefined) throw new Misread('a batch of images is not of batch×channels×height×width')
  return { shape: [batch, height, width, channels], data: [...values] }
}
