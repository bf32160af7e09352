import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../../../shape/problem.js'
import { readNamed, type Kind } from '../../readNamed.js'
import type { Augmentation, Change } from './augmentation.js'
import { isNotation, notation } from './notation.js'
import { optionRules as rules } from './optionRules.js'
import { policies } from './policy/policies.js'
import { autoAugment } from './steps/autoAugment.js'
import { colorJitter } from './steps/colorJitter.js'
import { gaussianBlur } from './steps/gaussianBlur.js'
import { grayscale } from './steps/grayscale.js'
import { horizontalFlip } from './steps/horizontalFlip.js'
import { padAndCrop } from './steps/padAndCrop.js'
import { randAugment } from './steps/randAugment.js'
import { randomApply } from './steps/randomApply.js'
import { randomChoice } from './steps/randomChoice.js'
import { randomErasing } from './steps/randomErasing.js'
import { randomResizedCrop } from './steps/randomResizedCrop.js'
import { repeated } from './steps/repeated.js'
import { solarize } from './steps/solarize.js'
import { threeAugment } from './steps/threeAugment.js'
import { trivialAugment } from './steps/trivialAugment.js'
import { verticalFlip } from './steps/verticalFlip.js'

/** A step that is made of its options alone. */
const plain = <O>(make: (options: O) => Augmentation, optional: Kind<unknown>['optional'] = {}): Kind<Augmentation> => ({ optional, make: (options: O) => right(make(options)) })

/** A step that is made of others. */
const gathering = <O extends { readonly of: readonly Change[] }>(name: string, make: (options: O) => Either<Problem, Augmentation>, optional: Kind<unknown>['optional']): Kind<Augmentation> => ({
  needed: { of: rules.list },
  optional: optional ?? {},
  make: (options: O) => {
    const changes: Change[] = []
    for (const given of options.of as readonly unknown[]) {
      const step = augmentationOf(given)
      if (step._tag === 'Left') return step
      if (step.right.kind !== 'change') return left(problem('augmentOrder', `augment ${name}: '${step.right.name}' cannot be one of several: it does not go from picture to picture of one size`, { path: 'of', remedy: `let it stand beside ${name} in the list` }))
      changes.push(step.right)
    }
    return make({ ...options, of: changes })
  },
})

const { share, oneOf } = rules
const probability = { probability: share }
const between = oneOf('bilinear', 'bicubic', 'random')
const reading = oneOf('nearest', 'bilinear', 'bicubic', 'random')

const kinds: Readonly<Record<string, Kind<Augmentation>>> = {
  randomResizedCrop: plain(randomResizedCrop, { scale: rules.shares, ratio: rules.positives, interpolation: between }),
  padAndCrop: plain(padAndCrop, { padding: rules.whole, mode: oneOf('constant', 'reflect') }),
  horizontalFlip: plain(horizontalFlip, probability),
  verticalFlip: plain(verticalFlip, probability),
  colorJitter: plain(colorJitter, { brightness: rules.amount, contrast: rules.amount, saturation: rules.amount, hue: rules.half, ...probability }),
  grayscale: plain(grayscale, probability),
  gaussianBlur: plain(gaussianBlur, { radius: rules.radii, ...probability }),
  solarize: plain(solarize, { threshold: rules.byte, ...probability }),
  threeAugment: plain(threeAugment),
  autoAugment: plain(autoAugment, { policy: oneOf(...Object.keys(policies)), magnitudeStd: rules.amount, interpolation: reading }),
  randAugment: plain(randAugment, { magnitude: rules.amount, magnitudeStd: rules.amount, magnitudeMax: rules.positive, numOps: rules.count, ...probability, increasing: rules.flag, set: oneOf('all', 'weights', '3a', '3aw'), interpolation: reading }),
  trivialAugment: plain(trivialAugment, { interpolation: oneOf('nearest', 'bilinear', 'bicubic') }),
  randomApply: gathering('randomApply', (options: Parameters<typeof randomApply>[0]) => right(randomApply(options)), probability),
  randomChoice: gathering('randomChoice', (options: Parameters<typeof randomChoice>[0]) => {
    const { of, weights } = options
    const fits = weights === undefined || (weights.length === of.length && weights.some(weight => weight > 0))
    return fits ? right(randomChoice(options)) : left(problem('badOption', `augment randomChoice: weights must be as many as the ${of.length} steps, not all 0, got ${JSON.stringify(weights)}`, { path: 'weights' }))
  }, { weights: rules.weights }),
  randomErasing: plain(randomErasing, { ...probability, mode: oneOf('pixel', 'rand', 'const'), area: rules.shares, aspect: rules.positives, count: rules.counts }),
  repeated: plain(repeated, { times: rules.count }),
}

/**
 * The step that a name, `{ name, config }` or timm's notation describes, as a training configuration in JSON writes it;
 * what code has made is read by its name and options too.
 *
 * Errors: `notNamed`, `unknownName`, `unknownOption`, `missingOption`, `badOption`, `badNotation`, `augmentOrder`.
 *
 * @example
 * augmentationOf({ name: 'randomResizedCrop', config: { scale: [0.35, 1] } }) // Either<Problem, Augmentation>
 * augmentationOf('rand-m9-x3').left.sentence // "augment: 'rand-m9-x3': cannot read 'x3'"
 */
export const augmentationOf = (given: unknown): Either<Problem, Augmentation> => {
  if (isMixing(given)) return left(problem('unknownName', 'augment: MixUp and CutMix mix whole batches, so they are no steps of this list', { remedy: 'they belong to what is learned: "objective": { "name": "classification", "config": { "mix": { "mixUp": 0.8, "cutMix": 1 } } }' }))
  if (typeof given !== 'string') return readNamed('augment', kinds, given)
  if (!isNotation(given)) return readNamed('augment', kinds, { name: given })
  const read = notation(given)
  return read._tag === 'Left' ? read : readNamed('augment', kinds, read.right)
}

const isMixing = (given: unknown): boolean => /^(mixup|cutmix)$/i.test(String(typeof given === 'object' && given !== null && 'name' in given ? given.name : given))
