import type { RecordedTensor } from './recorded.js'

/** The samples of a batch, the last one first. */
export const inReverse = ({ shape, data }: RecordedTensor): RecordedTensor => {
  const size = data.length / shape[0]!
  return { shape, data: Array.from({ length: shape[0]! }, (_, i) => data.slice(i * size, (i + 1) * size)).reverse().flat() }
}
