import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { showProblem } from '../shape/problem.js'
import { augment } from './augment.js'
import { backends } from './backends.js'
import { bench } from './bench.js'
import { check } from './check.js'
import { demo } from './demo.js'
import { draw } from './draw.js'
import { evaluation } from './eval.js'
import { init } from './init.js'
import { list } from './list.js'
import type { CliCommand, ExitCode } from './parts/command.js'
import { backends as known } from './parts/backends.js'
import { messageOf } from './parts/messageOf.js'
import { options } from './parts/options.js'
import { packageRoot } from './parts/packageRoot.js'
import type { Terminal } from './parts/terminal.js'
import { run } from './run.js'
import { search } from './search.js'
import { summary } from './summary.js'
import { teach } from './teach.js'
import { train } from './train.js'
import { verify } from './verify.js'
import { zeroShot } from './zeroShot.js'

/** The order in which `--help` shows them. */
const commands = [demo, list, summary, draw, check, init, run, zeroShot, augment, train, search, teach, evaluation, verify, bench, backends] as readonly CliCommand<never>[]

/**
 * Runs one command line and gives its exit code; the one place where problems become text. Never rejects.
 *
 * @param argv the arguments, program name excluded
 */
export const cli = async (argv: readonly string[], terminal: Terminal): Promise<ExitCode> => {
  let code: ExitCode = 0
  const program = new Command('vitrail')
    .description('vision transformers as typed recipes, on TensorFlow.js')
    .version((JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version)
    .exitOverride()
    .configureOutput({
      writeOut: text => terminal.print(text.trimEnd()),
      writeErr: text => terminal.warn(text.trimEnd()),
      outputError: (text, write) => write(text.replace(/^error: /, 'vitrail: ').replace(/\n\(Did you mean (.*)\?\)/, '; did you mean $1?')),
    })
    .showSuggestionAfterError()
    .helpCommand('help [command]', 'shows what a command does')
  for (const command of commands) {
    const made = program.command(command.usage).description(command.about).addHelpText('after', `\nExamples:\n${command.examples.map(line => `  ${line}`).join('\n')}`)
    for (const option of command.options) made.addOption(option)
    if (command.options.some(({ long }) => long === '--backend')) made.addOption(options.wholeNumber('--threads <n>', 'threads of the wasm backend (default: as many as there are cores, at most 4)'))
    made.action(async () => {
      known.useThreads((made.opts() as { readonly threads?: number }).threads)
      const ended = await command.run(made.args, made.opts() as never, terminal)()
      if (ended._tag === 'Right') code = ended.right
      else {
        terminal.warn(`vitrail: ${showProblem(ended.left)}`)
        code = 2
      }
    })
  }
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return code
  } catch (fault) {
    if (fault instanceof CommanderError) return fault.exitCode === 0 ? 0 : 2
    terminal.warn(`vitrail: this is a fault in vitrail itself: ${messageOf(fault)}; VITRAIL_DEBUG=1 shows where`)
    if (process.env['VITRAIL_DEBUG'] === '1' && fault instanceof Error) terminal.warn(fault.stack ?? '')
    return 2
  }
}
