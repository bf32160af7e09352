import { trace } from '../../graph/trace.js'
import { model, type AnyModel } from '../../layers/core/model.js'
import { windows } from '../../layers/windows.js'
import type { Place } from './placesOf.js'

/**
 * A model of one layer alone, on what it is given where it stands. A layer that needs to know the window it runs in
 * gets one window around it. Nothing where it cannot stand alone.
 *
 * @example
 * isolate({ path: '', layer: linear(4), input: { shape: [5, 8], dtype: 'float32' }, children: [] }).layers[0].definition.kind // 'linear'
 */
export const isolate = ({ layer, input, window, output }: Place): AnyModel | undefined => {
  const alone = model(input, [layer]) as unknown as AnyModel
  if (window === undefined || output === undefined) return alone
  const traced = trace(alone)
  if (traced._tag === 'Right') return alone
  const [height, width] = window.size
  if ('fields' in input || input.shape.length !== 2 || input.shape[0] !== height * width) return undefined
  const windowed = model({ shape: [height, width, input.shape[1]!], dtype: input.dtype }, [windows({ windowSize: [height, width] }, layer)]) as unknown as AnyModel
  return trace(windowed)._tag === 'Right' ? windowed : undefined
}
