import { of } from 'fp-ts/lib/TaskEither.js'
import { layerDecay as scales } from '../../../training/layerDecay.js'
import { layerIndices } from '../../../training/layerIndices.js'
import { takesDecay } from '../../../training/takesDecay.js'
import type { Trick } from './trick.js'

/** Layer-wise rate decay, and which parameters weight decay applies to, told by their names. */
export const layerDecay: Trick = {
  fields: ['depth', 'layer_decay', 'params'],
  replay: recorded => {
    const params = recorded.object('params')
    const names = params.keys
    const indices = layerIndices(names)
    const scale = scales(names, recorded.number('layer_decay'))
    const checks = Object.fromEntries(names.map(name => {
      const entry = params.object(name)
      const recordedOf = [entry.number('layer'), entry.number('lr_scale'), Number(entry.flag('weight_decay'))]
      return [`params.${name}`, { ours: [indices.of.get(name)!, scale.get(name)!, Number(takesDecay(name))], recorded: recordedOf, near: 'double' as const }]
    }))
    return of({ checks: { depth: { ours: [indices.depth], recorded: [recorded.number('depth')], near: 'exact' }, ...checks } })
  },
}
