import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { recipes, type Recipe } from '../../../recipes/index.js'
import { trace } from '../../graph/trace.js'
import type { AnyModel } from '../../layers/core/model.js'
import { problem, showProblem, type Problem } from '../../shape/problem.js'
import { asPublishedLaw, publishedFailure } from '../../testing/check/publishedFailure.js'
import { tracesLaw } from '../../testing/check/tracesLaw.js'
import { recordedFingerprints } from '../../testing/fingerprints/recordedFingerprints.js'
import type { Law } from '../../testing/laws/core/law.js'
import { laws } from '../../testing/laws/laws.js'
import { typesAgree, typesAgreeLaw } from '../../testing/types/typesAgree.js'
import { backends } from './backends.js'
import { checkReplay, type Replayable } from './checkReplay.js'
import type { ExitCode } from './command.js'
import { packageRoot } from './packageRoot.js'
import type { Terminal } from './terminal.js'

/** What a law is called and means, whether it is about one model at a time or not. */
export const lawsByName: Readonly<Record<string, Pick<Law, 'name' | 'title' | 'meaning'>>> = {
  [tracesLaw.name]: tracesLaw, ...laws, [typesAgreeLaw.name]: typesAgreeLaw, [asPublishedLaw.name]: asPublishedLaw,
}

/**
 * Checks again what a failure left behind: that law, that model, those numbers. Errors: those of `checkReplay` and of
 * backends; `unknownLaw`.
 */
export const checkAgain = (file: string, { print, colours }: Terminal): TaskEither<Problem, ExitCode> => async () => {
  const read = await checkReplay.read(file)()
  if (read._tag === 'Left') return read
  const { model, replay } = read.right
  const law = Object.hasOwn(lawsByName, replay.law) ? lawsByName[replay.law]! : undefined
  if (law === undefined) return left(problem('unknownLaw', `${file}: there is no law '${replay.law}'`, { remedy: '`vitrail check --list-laws` shows them' }))
  const found = await evidence(model, replay)()
  if (found._tag === 'Left') return found
  const told = found.right
  print(`${told === undefined ? colours.green('✓') : colours.red('✗')} ${law.title}  [${law.name}], ${replay.part} of ${replay.target}, seed ${replay.seed} on ${replay.backends.join(', ')}\n\n${replay.source}\n${told === undefined ? 'It holds now.' : `${colours.red(told)}\n${law.meaning}`}`)
  return right(told === undefined ? 0 : 1)
}

/** What shows that the law is still broken, or nothing. */
const evidence = (model: AnyModel, { law, target, seed, runs, backends: names }: Replayable): TaskEither<Problem, string | undefined> => async () => {
  if (law === tracesLaw.name) {
    const traced = trace(model)
    return right(traced._tag === 'Left' ? showProblem(traced.left) : undefined)
  }
  if (law === asPublishedLaw.name) {
    const recorded = recordedFingerprints(readFileSync(join(packageRoot(), 'recipes', 'fingerprints.json'), 'utf8')).get(target)
    const recipe = (recipes as unknown as Readonly<Record<string, Recipe>>)[target]
    if (recorded === undefined || recipe === undefined) return left(problem('unknownRecipe', `there is no recipe '${target}'`))
    const found = publishedFailure(recipe, recorded)
    return found._tag === 'Left' ? found : right(found.right?.evidence)
  }
  if (law === typesAgreeLaw.name) {
    const [verdict] = (await typesAgree([{ name: target, model }], packageRoot(), [process.cwd()])).verdicts
    return right(verdict?.is === 'broken' ? verdict.evidence : undefined)
  }
  const found = await backends.findAll(names)()
  if (found._tag === 'Left') return found
  const verdict = await (laws as Readonly<Record<string, Law>>)[law]!.check(model, { backends: found.right, seed, runs })()
  return right(verdict._tag === 'Left' ? showProblem(verdict.left) : verdict.right.is === 'broken' ? verdict.right.evidence : undefined)
}
