import { left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { relative } from 'node:path'
import type { Backend } from '../backends/device.js'
import { nearest } from '../shape/nearest.js'
import { problem, showProblem, type Problem } from '../shape/problem.js'
import { asPublishedLaw } from '../testing/check/publishedFailure.js'
import { laws as modelLaws } from '../testing/laws/laws.js'
import type { Law } from '../testing/laws/core/law.js'
import { github } from '../testing/reporters/github.js'
import { junit } from '../testing/reporters/junit.js'
import type { ReportedModel } from '../testing/reporters/report.js'
import { text } from '../testing/reporters/text.js'
import { typesAgreeLaw } from '../testing/types/typesAgree.js'
import { backends } from './parts/backends.js'
import { checkAgain, lawsByName } from './parts/checkAgain.js'
import { checkReplay } from './parts/checkReplay.js'
import { checkTarget, type Broken, type Checking } from './parts/checkTarget.js'
import type { CliCommand, ExitCode } from './parts/command.js'
import { options } from './parts/options.js'
import { progress } from './parts/progress.js'
import { subjects } from './parts/subjects.js'
import { table } from './parts/table.js'
import type { Colours, Terminal } from './parts/terminal.js'

interface CheckOptions {
  readonly backend?: readonly string[]
  readonly runs?: number
  readonly seed?: number
  readonly laws?: readonly string[]
  readonly listLaws?: boolean
  readonly reporter?: string
  readonly replay?: string
  readonly replays?: string
  readonly json?: boolean
}

const named: Readonly<Record<string, Law>> = modelLaws
const reporters = ['text', 'json', 'junit', 'github'] as const
const lawNames = Object.keys(lawsByName)

/**
 * `vitrail check`: whether models obey the laws that every model obeys. Errors: `nothingToCheck`, `unknownLaw`; those of the
 * backends, of `checkReplay` and of `checkAgain`. What is wrong with a model, or with a file, is told, and the others are checked.
 */
export const check: CliCommand<CheckOptions> = {
  usage: 'check [models...]',
  about: 'checks that models obey every law: shapes, gradients, batches, backends, weights and more',
  examples: ['vitrail check recipe.ts', 'vitrail check recipe.ts#tiny vit_tiny_patch16_224 --reporter github', 'vitrail check recipe.ts --laws batchIndependence,nothingLeaks --backend wasm,cpu', 'vitrail check --replay .vitrail/recipe-ts-oracleAgrees.json'],
  options: [
    options.names('--backend <names>', 'the backends to run on, with commas between (default: wasm)'),
    options.wholeNumber('--runs <count>', 'random inputs to try where a law tries several (default: 2)'),
    options.wholeNumber('--seed <number>', 'of weights and inputs (default: 0)', 0),
    options.names('--laws <names>', 'only these laws, with commas between'),
    options.text('--list-laws', 'list the laws, and what it means to break one'),
    options.text('--reporter <name>', `how to report: ${reporters.join(', ')}`).choices([...reporters]).default('text'),
    options.text('--replay <file>', 'check again what a failure left behind'),
    options.text('--replays <folder>', 'where failures leave what is needed to check them again').default('.vitrail'),
    options.json(),
  ],
  run: (targets, asked, terminal) => async () => {
    if (asked.listLaws === true) return right(listed(terminal))
    if (asked.replay !== undefined) return checkAgain(asked.replay, terminal)()
    if (targets.length === 0) return left(problem('nothingToCheck', 'check: there is nothing to check', { remedy: 'name a file, FILE.ts#export, or a published id (`vitrail list`)' }))
    const unknown = asked.laws?.find(name => !lawNames.includes(name))
    if (unknown !== undefined) return left(problem('unknownLaw', `there is no law '${unknown}'`, { remedy: nearest(unknown, lawNames) === undefined ? '`vitrail check --list-laws` shows them' : `did you mean '${nearest(unknown, lawNames)}'?` }))
    const found = await chosen(asked.backend, terminal)()
    if (found._tag === 'Left') return found
    const wants = (name: string): boolean => asked.laws?.includes(name) ?? true
    const checking = { backends: found.right, seed: asked.seed ?? 0, runs: asked.runs ?? 2, laws: Object.values(named).filter(({ name }) => wants(name)), asksCompiler: wants(typesAgreeLaw.name), asksRecord: wants(asPublishedLaw.name) }
    return checked(targets, checking, asked, terminal)()
  },
}

const checked = (targets: readonly string[], checking: Omit<Checking, 'progress'>, { json = false, reporter: named = 'text', replays: folder = '.vitrail' }: CheckOptions, terminal: Terminal): TaskEither<Problem, ExitCode> => async () => {
  const { print, warn } = terminal
  const reporter = json ? 'json' : named
  const reports: ReportedModel[] = []
  let unreadable = false
  for (const target of targets) {
    const found = await subjects.all(target)()
    if (found._tag === 'Left') {
      unreadable = true
      warn(`vitrail: ${showProblem(found.left)}`)
      continue
    }
    for (const subject of found.right) {
      const bar = await progress(terminal, subject.id, 1)
      let at = 0
      const { report, broken } = await checkTarget(subject, { ...checking, progress: (done, total) => (bar.advance(done / total - at), (at = done / total)) })
      bar.stop()
      const files = await checkReplay.write(folder, broken.map(({ model, failure }) => replayOf(subject.id, model, failure, checking)))()
      if (files._tag === 'Left') return files
      const shown = { ...report, failures: report.failures.map((failure, i) => ({ ...failure, replay: files.right[i]! })) }
      reports.push(shown)
      // One by one, since a person watches.
      if (reporter === 'text') print(text([shown], marks(terminal.colours)))
    }
  }
  if (reporter === 'json') print(JSON.stringify(reports, null, 2))
  else if (reporter === 'junit') print(junit(reports))
  else if (reports.length > 0) print(`${reporter === 'github' ? [text(reports), github(here(reports))].filter(part => part !== '').join('\n') : ''}\n${tableOf(reports, terminal.colours)}`)
  return right(unreadable ? 2 : reports.every(({ ok }) => ok) ? 0 : 1)
}

const marks = ({ green, red, bold }: Colours) => ({ good: green, bad: red, strong: bold })

/** GitHub wants paths from the folder it checked out. */
const here = (reports: readonly ReportedModel[]): readonly ReportedModel[] =>
  reports.map(report => ({ ...report, failures: report.failures.map(failure => (failure.file === undefined ? failure : { ...failure, file: relative(process.env['GITHUB_WORKSPACE'] ?? process.cwd(), failure.file) })) }))

/** Laws by models, or, where there are many models, one a line. */
const tableOf = (reports: readonly ReportedModel[], colours: Colours): string => {
  const cell = (report: ReportedModel, name: string): string => {
    const law = report.laws.find(l => l.law === name)
    if (law === undefined) return '–'
    return law.broken > 0 ? colours.red(`✗ ${law.broken}`) : law.kept > 0 ? colours.green('ok') : '–'
  }
  const names = [...new Set(reports.flatMap(({ laws }) => laws.map(({ law }) => law)))]
  const sum = (report: ReportedModel): string => `${report.laws.filter(({ broken, kept }) => broken === 0 && kept > 0).length} laws kept, ${report.laws.filter(({ broken }) => broken > 0).length} broken`
  if (reports.length > 4) return table([{ title: 'model' }, { title: 'laws' }, { title: 'broken' }], reports.map(report => [report.id, report.problem === undefined ? sum(report) : '', report.problem === undefined ? report.laws.filter(({ broken }) => broken > 0).map(({ law }) => law).join(', ') : colours.red(report.problem.code)]), colours)
  return table([{ title: 'law' }, ...reports.map(({ id }) => ({ title: id }))], names.map(name => [name, ...reports.map(report => cell(report, name))]), colours)
}

/** The backends asked for; unless asked, wasm where it starts, else the definition itself. */
const chosen = (asked: readonly string[] | undefined, { warn }: Terminal): TaskEither<Problem, readonly Backend[]> => async () => {
  const found = await backends.findAll(asked ?? ['wasm'])()
  if (found._tag === 'Left') return found
  for (const backend of found.right) {
    const opened = await backend.open()
    if (opened._tag === 'Right') continue
    if (asked !== undefined) return opened
    warn(`vitrail: ${showProblem(opened.left)}; checking on the reference backend only`)
    return backends.findAll(['reference'])()
  }
  return found
}

const replayOf = (target: string, model: Broken['model'], { law, part, smallest }: Broken['failure'], { seed, runs, backends: used }: Omit<Checking, 'progress'>) =>
  ({ target, law, seed, runs, backends: used.map(({ name }) => name), part, source: smallest?.source ?? '', model }) as const

const listed = ({ print, colours }: Terminal): ExitCode => {
  print(Object.values(lawsByName).map(({ name, title, meaning }) => `${colours.bold(name)}: ${title}\n    ${meaning}`).join('\n'))
  return 0
}
