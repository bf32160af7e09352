import type { CosineHeadConfig } from '../../layers/cosineHead.js'
import type { ProjectionConfig } from '../../layers/projection.js'
import type { SimilarityScaleConfig } from '../../layers/similarityScale.js'
import { onArray } from './channels.js'
import { at, channelwise, partsOf, type Numbers } from './numbers.js'
import type { Place, Run } from './oracle.js'

// What stands at the end of CLIP's two towers.

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((total, value, i) => total + value * b[i]!, 0)

export const projection = (place: Place, { dim, parameter = 'proj' }: ProjectionConfig<number>): Run =>
  onArray(x => {
    const matrix = place.weight(parameter, x.shape.at(-1)!, dim)
    return channelwise(x, channels => Array.from({ length: dim }, (_, out) => Array.from(channels).reduce((total, value, i) => total + value * at(matrix, i, out), 0)))
  })

/** Cosines with each class's vector; what has no direction is like nothing. */
export const cosineHead = (place: Place, numClasses: number, _config: CosineHeadConfig = {}): Run =>
  onArray(x => {
    const classes = partsOf(place.weight('weight', numClasses, x.shape.at(-1)!))
    const scale = Math.exp(place.weight('logit_scale').data[0]!)
    return channelwise(x, v => classes.map(({ data }) => (dot(v, v) === 0 || dot(data, data) === 0 ? 0 : (scale * dot(v, data)) / Math.sqrt(dot(v, v) * dot(data, data)))))
  })

export const takeLargestToken = (): Run => record => {
  const { x, ids } = record as { readonly x: Numbers; readonly ids: Numbers }
  return partsOf(x)[ids.data.indexOf(Math.max(...ids.data))]!
}

export const similarityScale = (place: Place, { learned = 'logarithm' }: SimilarityScaleConfig = {}): Run => record => {
  const [value] = place.weight(learned === 'temperature' ? 'temperature' : 'logit_scale').data
  return { ...(record as Readonly<Record<string, Numbers>>), scale: { shape: [], data: Float64Array.of(learned === 'temperature' ? 1 / value! : Math.exp(value!)) } }
}
