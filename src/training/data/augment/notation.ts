import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../../../shape/problem.js'

/** A step by its name and options. */
interface Named {
  readonly name: string
  readonly config: Readonly<Record<string, unknown>>
}

type Keys = Readonly<Record<string, readonly [option: string, read: (text: string) => unknown]>>

const randKeys: Keys = {
  m: ['magnitude', Number],
  n: ['numOps', Number],
  p: ['probability', Number],
  mstd: ['magnitudeStd', Number],
  mmax: ['magnitudeMax', Number],
  inc: ['increasing', text => text !== '0'],
}
const autoKeys: Keys = { mstd: ['magnitudeStd', Number] }

/**
 * Whether a text is meant as timm's notation: its first word is that of a policy, and no step is called so.
 *
 * @example
 * isNotation('rand-m9') // true
 */
export const isNotation = (text: string): boolean => /^(rand|original|originalr|v0|v0r|3a|augmix)(-|$)/.test(text)

/**
 * What timm's notation means, with timm's defaults: `rand-m9-mstd0.5-inc1` (RandAugment: `m` magnitude, `n` operations,
 * `p` probability, `mstd` deviation, `mmax` limit, `inc1` increasing, `t` set), `original-mstd0.5` (AutoAugment:
 * `original`, `originalr`, `v0`, `v0r`) and `3a` (DeiT III's). Errors: `badNotation`.
 *
 * @example
 * notation('rand-m7-n3') // right({ name: 'randAugment', config: { magnitude: 7, numOps: 3, magnitudeStd: 0, increasing: false } })
 */
export const notation = (text: string): Either<Problem, Named> => {
  const [policy = '', ...sections] = text.split('-')
  if (policy === 'augmix') return left(problem('badNotation', `augment: '${text}': AugMix is not among the steps`, { remedy: "there are 'rand-…', 'original', 'originalr', 'v0', 'v0r' and '3a'" }))
  const isRand = policy === 'rand'
  // What timm takes where its notation says nothing, which is not what `randAugment` takes.
  const config: Record<string, unknown> = isRand ? { magnitude: 10, magnitudeStd: 0, increasing: false } : policy === '3a' ? {} : { policy }
  const keys = isRand ? randKeys : policy === '3a' ? {} : autoKeys
  for (const section of sections) {
    const set = isRand ? /^t(weights|3a|3aw)$/.exec(section)?.[1] : undefined
    const [, key = '', value = ''] = /^([a-z]+)(\d+(?:\.\d+)?)$/.exec(section) ?? []
    if (set !== undefined) config['set'] = set
    else if (Object.hasOwn(keys, key)) config[keys[key]![0]] = keys[key]![1](value)
    else return left(problem('badNotation', `augment: '${text}': cannot read '${section}'`, { remedy: isRand ? "such as 'rand-m9-n2-p0.5-mstd0.5-inc1'" : policy === '3a' ? "'3a' takes no options" : `such as '${policy}-mstd0.5'` }))
  }
  return right({ name: isRand ? 'randAugment' : policy === '3a' ? 'threeAugment' : 'autoAugment', config })
}
