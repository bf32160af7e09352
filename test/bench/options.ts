import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { nearest } from '../../src/shape/nearest.js'

/** What `npm run bench:peers` is asked for. */
export interface PeersOptions {
  readonly models: readonly string[]
  readonly engines: readonly string[]
  readonly batches: readonly number[]
  readonly threads: readonly number[]
  readonly rounds: number
  readonly seconds: number
  readonly json: boolean
  readonly install: boolean
  /** The page to write; `undefined`: the usual one, if all models ran; `false`: none. */
  readonly page: string | false | undefined
}

/** Why nothing is to be run: help that was asked for (0), or a line that cannot be meant (2). */
export interface Declined {
  readonly code: 0 | 2
  readonly text: string
}

/** A whole number from 1 on. */
export const whole = (text: string): number => {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('It must be a whole number from 1 on.')
  return value
}
/** Some of them, with commas between. */
export const numbers = (text: string): readonly number[] => [...new Set(text.split(',').map(part => whole(part.trim())))].sort((a, b) => a - b)
/** Names among those that are known, in the order in which they are. */
export const oneOf = (known: readonly string[]) => (text: string): readonly string[] => {
  const names = text.split(',').map(name => name.trim())
  const wrong = names.find(name => !known.includes(name))
  if (wrong === undefined) return known.filter(name => names.includes(name))
  const near = nearest(wrong, known)
  throw new InvalidArgumentError(`There is no '${wrong}'${near === undefined ? '.' : `; did you mean '${near}'?`} There are: ${known.join(', ')}.`)
}

/** Reads a command line by what `add` adds to the command; what it says, it says itself. */
export const readOptions = <T extends object>(name: string, description: string, argv: readonly string[], add: (command: Command) => Command): Either<Declined, T> => {
  let said = ''
  const say = { writeOut: (text: string): void => void (said += text), writeErr: (text: string): void => void (said += text) }
  const command = add(new Command(`npm run ${name} --`).description(description).exitOverride().configureOutput(say).allowExcessArguments(false))
  try {
    command.parse([...argv], { from: 'user' })
    return right(command.opts<T>())
  } catch (fault) {
    if (!(fault instanceof CommanderError)) throw fault
    return left({ code: fault.exitCode === 0 ? 0 : 2, text: said.replace(/^error: /, `${name}: `).trim() })
  }
}

/** Reads the command line of `npm run bench:peers`; models and engines come in the order in which they are known. */
export const peersOptions = (argv: readonly string[], known: { readonly models: readonly string[]; readonly engines: readonly string[] }): Either<Declined, PeersOptions> =>
  readOptions('bench:peers', 'one forward pass, by Vitrail and by others, in turn and with outputs compared; writes docs/benchmarks.md', argv, command => command
    .addOption(new Option('--models <names>', 'what runs, with commas between').argParser(oneOf(known.models)).default(known.models, known.models.join(',')))
    .addOption(new Option('--engines <names>', 'who runs it').argParser(oneOf(known.engines)).default(known.engines, 'all'))
    .addOption(new Option('--batches <numbers>', 'images a run').argParser(numbers).default([1, 8], '1,8'))
    .addOption(new Option('--threads <numbers>', 'threads of those who have them').argParser(numbers).default([1, 2], '1,2'))
    .addOption(new Option('--rounds <number>', 'measured runs, of which the median counts').argParser(whole).default(10))
    .addOption(new Option('--seconds <number>', 'the most time for all runs of one engine; the main ones run five times at least').argParser(whole).default(12))
    .addOption(new Option('--json', 'print all numbers as JSON and nothing else').default(false))
    .addOption(new Option('--install', 'install the other engines first, in .vitrail/bench').default(false))
    .addOption(new Option('--page <file>', 'where to write the page, whatever ran'))
    .addOption(new Option('--no-page', 'write no page')))
