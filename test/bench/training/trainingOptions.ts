import { InvalidArgumentError, Option } from 'commander'
import type { Either } from 'fp-ts/lib/Either.js'
import { numbers, oneOf, readOptions, whole, type Declined } from '../options.js'

/** What `npm run bench:train` is asked for. */
export interface TrainingOptions {
  readonly models: readonly string[]
  readonly batches: readonly number[]
  readonly threads: readonly number[]
  readonly rounds: number
  /** Rounds that plain tfjs takes part in. */
  readonly plain: number
  /** The batch size whose memory is measured, in a process of its own; 0 for none. */
  readonly memory: number
  readonly json: boolean
  /** The page to write; `undefined`: the usual one, if all models ran against plain tfjs; `false`: none. */
  readonly page: string | false | undefined
}

const orNone = (text: string): number => {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number, 0 for none.')
  return Number(text)
}

/** Reads the command line of `npm run bench:train`. */
export const trainingOptions = (argv: readonly string[], models: readonly string[]): Either<Declined, TrainingOptions> =>
  readOptions('bench:train', 'one training step on wasm, against plain tfjs and PyTorch, in turn and with losses compared; writes a section of docs/benchmarks.md', argv, command => command
    .addOption(new Option('--models <names>', 'what is trained, with commas between').argParser(oneOf(models)).default(models, models.join(',')))
    .addOption(new Option('--batches <numbers>', 'images a step').argParser(numbers).default([16], '16'))
    .addOption(new Option('--threads <numbers>', 'threads of those who have them').argParser(numbers).default([1, 2], '1,2'))
    .addOption(new Option('--rounds <number>', 'measured steps, of which the median counts').argParser(whole).default(5))
    .addOption(new Option('--plain <number>', 'steps of plain tfjs, which are slow; 0 for none').argParser(orNone).default(3))
    .addOption(new Option('--memory <number>', 'images a step where memory is measured, 0 for none').argParser(orNone).default(64))
    .addOption(new Option('--json', 'print all numbers as JSON and nothing else').default(false))
    .addOption(new Option('--page <file>', 'where to write the page, whatever ran'))
    .addOption(new Option('--no-page', 'write no page')))
