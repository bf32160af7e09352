import { pipe } from 'fp-ts/lib/function.js'
import { left, of } from 'fp-ts/lib/TaskEither.js'
import { input, type AnyModel } from '../../../layers/core/model.js'
import { gatedPositionalAttention } from '../../../layers/gatedPositionalAttention.js'
import { initialWeights } from '../../../weights/initialWeights.js'
import type { Check, Trick } from './trick.js'

/** How ConViT's local blocks begin as convolutions; heads that no place is left for begin at random, and are not compared. */
export const localInitialisation: Trick = {
  fields: ['*.locality_strength'],
  replay: recorded => {
    const checks: Record<string, Check> = {}
    for (const [key, entry] of recorded.objectsWith('locality_strength')) {
      const numHeads = entry.number('num_heads')
      // Neither the channels nor the tokens change how it begins.
      const dim = 2 * numHeads
      const weights = initialWeights(pipe(input(4, dim), gatedPositionalAttention({ numHeads, localityStrength: entry.number('locality_strength') })) as AnyModel, 0)
      if (weights._tag === 'Left') return left(weights.left)
      const begins = (name: string): readonly number[] => [...weights.right.get(`attn.${name}`)!]
      const compare = (field: string, ours: readonly number[], expected: readonly number[]): void => void (checks[`${key}.${field}`] = { ours, recorded: expected, near: 'single' })
      const rows = entry.numbers('pos_proj_weight_set_rows')
      compare('pos_proj_weight_set_rows', begins('pos_proj.weight').slice(0, 3 * entry.number('set_rows')), rows)
      compare('pos_proj_bias', begins('pos_proj.bias'), entry.numbers('pos_proj_bias'))
      compare('gating_param', begins('gating_param'), entry.numbers('gating_param'))
      compare('v_is_identity', [Number(begins('v.weight').every((weight, i) => weight === Number(i % (dim + 1) === 0)))], [Number(entry.flag('v_is_identity'))])
      entry.passOver('rows_beyond')
    }
    return of({ checks })
  },
}
