import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../../shape/problem.js'
import type { ContrastiveOptions } from '../losses/contrastive.js'
import type { DistillationOptions } from '../losses/distillation.js'
import type { MaskedMeanSquaredOptions } from '../losses/maskedMeanSquared.js'
import type { MixOptions } from '../mixing/drawMix.js'
import { byteTokenizer } from '../text/byteTokenizer.js'
import type { Tokenizer } from '../text/tokenizer.js'
import { oneOf, readNamed, recordOf, rules, type Kind } from '../readNamed.js'
import { classification, type ClassificationOptions } from './classification.js'
import { colourisation } from './colourisation.js'
import { contrastive } from './contrastive.js'
import { distillation } from './distillation.js'
import { inpainting, type InpaintingOptions } from './inpainting.js'
import { maskedAutoencoder } from './maskedAutoencoder.js'
import { maskedPatches, type MaskedPatchesOptions } from './maskedPatches.js'
import type { Objective } from './objective.js'
import { pruning, type PruningObjective } from './pruning.js'
import { rotation } from './rotation.js'
import type { Teacher } from './teacher.js'
import { tokenLabelling, type TokenLabellingObjective } from './tokenLabelling.js'

/** What an objective is made of beside its options, opened elsewhere. */
export interface Resources {
  readonly teacher?: Teacher
  /** Default: the bytes of a text. */
  readonly tokenizer?: Tokenizer
}

type Made = (resources: Resources) => Either<Problem, Objective>

const mix = recordOf({ mixUp: rules.amount, cutMix: rules.amount, probability: rules.share, switchProbability: rules.share })
/** As a configuration names it; what opens it judges it further. */
const teacher = recordOf({ model: rules.model, weights: rules.text, backend: rules.text, recorded: rules.text, tokens: rules.text })

/** What needs a teacher that is open, given what a configuration says of it. */
const taught = (name: 'distillation' | 'pruning', make: (teacher: Teacher) => Objective): Made => ({ teacher }) =>
  teacher === undefined ? left(problem('teacherMissing', `objective ${name}: needs a teacher that is open`, { path: 'objective.config.teacher', remedy: `in code, give objectives.${name} what openTeacher gives; \`vitrail train\` opens the teachers of configurations` })) : right(make(teacher))

/** Options as JSON has them: a teacher is described, not opened. */
type Written<T> = Omit<T, 'teacher'> & { readonly teacher?: unknown }

const plain = (objective: Objective): Either<Problem, Made> => right(() => right(objective))

const kinds: Readonly<Record<string, Kind<Made>>> = {
  classification: { optional: { mix }, make: (options: ClassificationOptions) => plain(classification(options)) },
  distillation: {
    needed: { teacher },
    optional: { mix, kind: oneOf('hard', 'soft'), alpha: rules.share, temperature: rules.positive },
    make: (options: Written<DistillationOptions & { readonly mix?: MixOptions }>) => right(taught('distillation', teacher => distillation({ ...options, teacher }))),
  },
  tokenLabelling: {
    optional: { teacher, mixToken: rules.amount, imageWeight: rules.amount, tokenWeight: rules.amount },
    make: ({ teacher: wanted, ...options }: Written<TokenLabellingObjective>) => right(({ teacher }) => right(tokenLabelling({ ...options, ...(wanted === undefined || teacher === undefined ? {} : { teacher }) }))),
  },
  pruning: {
    needed: { teacher, shares: rules.numbers },
    optional: { mix, baseWeight: rules.amount, sharesWeight: rules.amount, teacherWeight: rules.amount, tokensWeight: rules.amount },
    make: (options: Written<PruningObjective>) => right(taught('pruning', teacher => pruning({ ...options, teacher }))),
  },
  maskedAutoencoder: { optional: { normalisePixels: rules.flag }, make: (options: MaskedMeanSquaredOptions) => plain(maskedAutoencoder(options)) },
  maskedPatches: { optional: { hiddenShare: rules.fraction, target: oneOf('pixels', 'meanColour') }, make: (options: MaskedPatchesOptions) => plain(maskedPatches(options)) },
  rotation: { make: () => plain(rotation()) },
  colourisation: { make: () => plain(colourisation()) },
  inpainting: { optional: { share: rules.share, place: oneOf('centre', 'random') }, make: (options: InpaintingOptions) => plain(inpainting(options)) },
  contrastive: {
    optional: { smoothing: rules.share, both: oneOf('mean', 'sum'), tokenizer: rules.text },
    make: ({ tokenizer: vocabulary = 'bytes', ...options }: ContrastiveOptions & { readonly tokenizer?: string }) => right(({ tokenizer = byteTokenizer }) => right(contrastive({ ...options, tokenizer, vocabulary }))),
  },
}

/**
 * Whether `{ name, config }` describes an objective, and how it is made once what it needs is open. Errors: `notNamed`,
 * `unknownName`, `unknownOption`, `missingOption`, `badOption`.
 *
 * @example
 * readObjective({ name: 'maskedAutoencoder', config: { normalisePixel: true } }).left.remedy // "did you mean 'normalisePixels'?"
 */
export const readObjective = (given: unknown): Either<Problem, Made> => readNamed('objective', kinds, given)

/**
 * The objective that `{ name, config }` describes, as a training configuration in JSON names it. Errors: those of
 * {@link readObjective}; `teacherMissing`.
 *
 * @example
 * objectiveOf({ name: 'classification', config: { mix: { mixUp: 0.8 } } }).right.config // { mix: { mixUp: 0.8 } }
 */
export const objectiveOf = (given: unknown, resources: Resources = {}): Either<Problem, Objective> => {
  const made = readObjective(given)
  return made._tag === 'Left' ? made : made.right(resources)
}
