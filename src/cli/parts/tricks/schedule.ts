import { of } from 'fp-ts/lib/TaskEither.js'
import { constant, cosine, polynomial, stepped, warmup, type Schedule } from '../../../training/schedules.js'
import { Misread, type Recorded } from './recorded.js'
import type { Check, Trick } from './trick.js'

/** timm's schedulers, and MAE's half cosine. */
export const schedule: Trick = {
  fields: ['*.lr_at_step_t'],
  replay: recorded => {
    const checks: Record<string, Check> = {}
    for (const [key, entry] of recorded.objectsWith('lr_at_step_t')) {
      const ours = ofTimm(key, entry.object('args'))
      const rates = entry.numbers('lr_at_step_t')
      checks[`${key}.lr_at_step_t`] = { ours: rates.map((_, step) => ours.rate(step)), recorded: rates, near: 'double' }
      if (entry.has('initial_lr_before_any_step')) checks[`${key}.initial_lr_before_any_step`] = { ours: [ours.rate(0)], recorded: [entry.number('initial_lr_before_any_step')], near: 'double' }
    }
    for (const [key, entry] of recorded.objectsWith('epoch_float')) {
      const ours = ofMae(entry.object('args'))
      checks[`${key}.lr`] = { ours: entry.numbers('epoch_float').map(ours.rate), recorded: entry.numbers('lr'), near: 'double' }
    }
    return of({ checks })
  },
}

/** What makes of one of timm's schedulers one that there is not here: noise, a hyperbolic tangent, the plateau of a metric. */
const foreign = ['noise_range_t', 'lb', 'ub', 'patience_t'] as const

/** A schedule by timm's own words for its options. */
const ofTimm = (name: string, args: Recorded): Schedule => {
  const other = foreign.find(key => args.has(key)) ?? /tanh|plateau|multi_?step/i.exec(name)?.[0]
  if (other !== undefined) throw new Misread(`${name} is a schedule (${other}) that there is not here; there are cosine, polynomial, stepped and constant ones`)
  // Without a range, noise changes nothing.
  args.passOver('t_in_epochs', 'initialize', 'noise_pct', 'noise_std', 'noise_seed')
  const kind = args.has('decay_t') ? 'stepped' : args.has('t_initial') ? 'falling' : 'constant'
  const rate = args.number('lr')
  const rise = args.numberOr('warmup_t', 0)
  const main = kind === 'stepped' ? stepped({ rate, every: args.number('decay_t'), factor: args.numberOr('decay_rate', 1) }) : kind === 'falling' ? falling(args, rate, /poly/i.test(name)) : constant({ rate })
  // Left out, it is true for timm's steps and false for its cosine and polynomial.
  const prefix = args.has('warmup_prefix') ? args.flag('warmup_prefix') : kind === 'stepped'
  const from = args.numberOr('warmup_lr_init', 0)
  return rise === 0 ? main : warmup({ steps: rise, from, prefix }, main)
}

const falling = (args: Recorded, rate: number, isPolynomial: boolean): Schedule => {
  const options = {
    rate,
    steps: args.number('t_initial'),
    minimum: args.numberOr('lr_min', 0),
    cycles: args.numberOr('cycle_limit', 1),
    cycleGrowth: args.numberOr('cycle_mul', 1),
    cycleDecay: args.numberOr('cycle_decay', 1),
    exponent: args.numberOr('k_decay', 1),
  }
  // timm's power, where it is left out.
  return isPolynomial || args.has('power') ? polynomial({ ...options, power: args.numberOr('power', 0.5) }) : cosine(options)
}

const ofMae = (args: Recorded): Schedule => {
  const steps = args.number('warmup_epochs')
  return warmup({ steps, prefix: true }, cosine({ rate: args.number('lr'), minimum: args.number('min_lr'), steps: args.number('epochs') - steps }))
}
