import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { inheritedScore } from '../search/inheritedScore.js'
import { inheritedWeights } from '../search/inheritedWeights.js'
import { paretoPicture } from '../search/paretoPicture.js'
import { priceOf, type Price } from '../search/priceOf.js'
import { search as searchSpace, type Score } from '../search/search.js'
import { searchReport } from '../search/searchReport.js'
import type { AnyPicked } from '../search/space.js'
import { trainSupernet } from '../search/trainSupernet.js'
import type { AnyModel } from '../layers/core/model.js'
import { problem, type Problem } from '../shape/problem.js'
import { trace } from '../graph/trace.js'
import { files } from '../training/checkpoint/checkpoints.js'
import { evaluate, type EvaluationData } from '../training/evaluate/evaluate.js'
import { wilson } from '../training/evaluate/wilson.js'
import { writeSafetensors } from '../weights/writeSafetensors.js'
import { backends } from './parts/backends.js'
import type { CliCommand, ExitCode } from './parts/command.js'
import { commandLine } from './parts/commandLine.js'
import { format } from './parts/format.js'
import { interruption } from './parts/interruption.js'
import { options } from './parts/options.js'
import { candidateLine, describeSpace, followSearch } from './parts/search/followSearch.js'
import { readSearch } from './parts/search/readSearch.js'
import { scoresFile } from './parts/search/scoresFile.js'
import { configured } from './parts/training/configured.js'
import { follow } from './parts/training/follow.js'
import { openData } from './parts/training/openData.js'
import { writeText } from './parts/training/writeReport.js'

interface SearchCommandOptions {
  readonly out?: string
  readonly resume?: boolean
  readonly backend: string
  readonly threads?: number
}

/** `vitrail search`: trains a supernet and searches it, as a configuration file says. */
export const search: CliCommand<SearchCommandOptions> = {
  usage: 'search <config>',
  about: 'trains a supernet once, and finds the best of its sub-networks within a budget',
  examples: ['vitrail search search.json --out found', 'vitrail search search.json --out found --resume', 'vitrail eval found/found.safetensors --data images/test'],
  options: [
    options.text('--out <folder>', 'where the supernet, the scores, the report and what was found are written (default: the name of the configuration)'),
    options.text('--resume', 'goes on with what is there'),
    options.backend(),
  ],
  run: ([file = ''], { out, resume = false, backend: name, threads }, terminal) => async () => {
    const config = await readSearch(file)()
    if (config._tag === 'Left') return config
    const { space, training, budget, updatesEach, folder: base, recipe, config: shared, compare } = config.right
    const backend = await backends.find(name)()
    if (backend._tag === 'Left') return backend
    const folder = out ?? file.replace(/\.\w+$/, '')
    if (folder === file) return left(problem('badOption', 'search: say with --out where to write'))
    const [supernet, scores] = [join(folder, 'supernet'), join(folder, 'scored.jsonl')]
    const opened = await configured(training, base, resume && existsSync(join(supernet, files.last)))()
    if (opened._tag === 'Left') return opened
    const { data, about, remarks, close } = opened.right
    const interrupt = interruption(() => terminal.warn('\nvitrail: stopping; press Ctrl-C again to stop at once'))
    const stopped = (): Either<Problem, ExitCode> => {
      terminal.print(`stopped; to go on: ${commandLine(['search', file], { out: folder, backend: name === 'wasm' ? undefined : name, threads, resume: true })}`)
      return right<Problem, ExitCode>(1)
    }
    try {
      for (const remark of remarks) terminal.warn(`vitrail: ${remark}`)
      terminal.print(describeSpace(space, budget))
      const { model: _, data: __, weights: ___, freeze: ____, objective: _____, ...settings } = training
      const trainer = await follow(terminal, `the whole of ${recipe}`, training.batchSize)
      const trained = await trainSupernet(space, data, { ...settings, ...(updatesEach === undefined ? {} : { updatesEach }), backend: backend.right, folder: supernet, resume, about, onEvent: trainer.tell, signal: interrupt.signal })()
      trainer.stop()
      if (trained._tag === 'Left') return trained
      if (trained.right.reason === 'aborted') return stopped()
      const weights = trained.right.average ?? trained.right.weights
      const { train, validation, transform: _transform, ...preparation } = data
      const held: EvaluationData = { ...preparation, ...(typeof validation === 'object' ? { samples: validation } : { samples: train, split: { validation: validation!, part: 'validation' } }) }
      const known = resume ? await scoresFile.read(scores) : new Map<string, number>()
      const inherited = inheritedScore<AnyPicked>(space.whole, weights, held, { backend: backend.right, batchSize: 250, seed: training.seed ?? 0 })
      const score: Score<AnyPicked> = candidate => async () => {
        const given = await inherited(candidate)()
        if (given._tag === 'Left') return given
        const kept = await scoresFile.append(scores, candidate, given.right)()
        return kept._tag === 'Left' ? kept : given
      }
      const follower = await followSearch(terminal)
      const found = await searchSpace(space, score, budget, {
        ...config.right.search, known, signal: interrupt.signal, ...(compare === undefined ? {} : { start: [compare] }),
        onEvent: follower.tell,
      })()
      follower.stop()
      if (found._tag === 'Left') return found
      if (found.right.reason === 'aborted') return stopped()
      const { best } = found.right
      const tested = await openTest(config.right.test, base, held, train.classes)
      if (tested._tag === 'Left') return tested
      const test = async (picked: AnyPicked): Promise<Either<Problem, Tested>> => {
        const model = space.model(picked) as AnyModel
        const [own, price] = [inheritedWeights(model, space.whole!, weights), priceOf(model)]
        if (own._tag === 'Left') return own
        if (price._tag === 'Left') return price
        const done = await evaluate(model, tested.right, { backend: backend.right, weights: own.right, batchSize: 250, seed: training.seed ?? 0 })()
        return done._tag === 'Left' ? done : right({ ...price.right, score: done.right.accuracy, samples: done.right.samples, key: space.keyOf(picked), weights: own.right })
      }
      const ours = await test(best.picked)
      if (ours._tag === 'Left') return ours
      const theirs = compare === undefined ? undefined : await test(compare)
      if (theirs?._tag === 'Left') return theirs
      const description = { recipe, config: { ...shared, ...best.picked } }
      const saved = await save(folder, space.model(best.picked) as AnyModel, ours.right, { ...about, recipe, config: JSON.stringify(description.config) })
      if (saved._tag === 'Left') return saved
      const hand = compare === undefined ? undefined : found.right.scored.find(({ key }) => key === space.keyOf(compare))
      const picture = { title: `${recipe}, searched`, axis: config.right.search.axis ?? 'macs', ...(hand === undefined ? {} : { hand }) } as const
      const facts = [['data', train.name], ['supernet', `${format.count(trained.right.step)} updates`], ['found', testedLine(ours.right)], ...(theirs === undefined ? [] : [['made by hand', testedLine(theirs.right)] as const])] as const
      for (const [name, text] of [['front.svg', paretoPicture(found.right.scored, picture)], ['report.html', searchReport({ ...picture, facts, result: found.right })], ['found.json', `${JSON.stringify(description, null, 2)}\n`]] as const) {
        const wrote = await writeText(join(folder, name), text)()
        if (wrote._tag === 'Left') return wrote
      }
      terminal.print([
        `found       ${candidateLine(best)}`,
        `tested      ${testedLine(ours.right)}`,
        ...(theirs === undefined ? [] : [`by hand     ${testedLine(theirs.right)}: ${theirs.right.key}`]),
        `weights     ${join(folder, 'found.safetensors')}`,
        `report      ${join(folder, 'report.html')}`,
      ].join('\n'))
      return right<never, ExitCode>(0)
    } finally {
      interrupt.release()
      await close()
    }
  },
}

/** A model on test images, with the weights it has in the whole. */
interface Tested extends Price {
  readonly score: number
  readonly samples: number
  readonly key: string
  readonly weights: ReadonlyMap<string, Float32Array>
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`
const testedLine = ({ score, samples, macs, params }: Tested): string => `${percent(score)} of ${format.count(samples)} (95 % interval ${wilson(Math.round(score * samples), samples).map(percent).join(' to ')}), ${format.short(macs)} multiply-adds, ${format.short(params)} parameters`

/** What the best is tested on: data of their own, or else what candidates were scored on. */
const openTest = async (source: Parameters<typeof openData>[0] | undefined, folder: string, held: EvaluationData, classes: readonly string[]): Promise<Either<Problem, EvaluationData>> => {
  if (source === undefined) return right(held)
  const opened = await openData(source, folder, classes)()
  if (opened._tag === 'Left') return opened
  const { split: _, ...preparation } = held
  return right({ ...preparation, samples: opened.right })
}

const save = async (folder: string, model: AnyModel, { weights }: Tested, about: Readonly<Record<string, string>>): Promise<Either<Problem, void>> => {
  const graph = trace(model)
  if (graph._tag === 'Left') return graph
  const tensors = graph.right.parameters.map(({ attributes: { name }, shape }) => ({ name, shape, data: weights.get(name)! }))
  return writeSafetensors(join(folder, 'found.safetensors'), tensors, about)()
}
