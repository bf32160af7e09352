import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { left, right } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { fromJson, type Constructors } from '../../exporters/json/fromJson.js'
import { toJson } from '../../exporters/json/toJson.js'
import type { AnyModel } from '../../layers/core/model.js'
import { problem, type Problem } from '../../shape/problem.js'
import { constructors } from '../../testing/arbitraries/constructors.js'
import { allLayers } from '../../testing/laws/core/allLayers.js'
import { placesOf, type Place } from '../../testing/shrink/placesOf.js'
import { makeFolder } from '../../training/checkpoint/makeFolder.js'
import { messageOf } from './messageOf.js'
import { readJson } from './readJson.js'
import { subjects } from './subjects.js'

/** What makes a failure happen again: written by `vitrail check`, read by `--replay`. */
export interface Replayable {
  readonly version: 1
  /** What was checked: an id or a file. */
  readonly target: string
  readonly law: string
  readonly seed: number
  readonly runs: number
  readonly backends: readonly string[]
  readonly part: string
  /** The smallest recipe, as data, and as source for people. */
  readonly model: unknown
  readonly source: string
  /** Layers in it that are not the library's: they are found in the target again. */
  readonly own: readonly string[]
}

const ownKinds = (model: AnyModel): readonly string[] => [...new Set(allLayers(model).filter(({ definition: { kind, make } }) => constructors[kind]?.make !== make).map(({ definition }) => definition.kind))]

/** Writes replay files into a folder, and gives their names. Errors: `fileUnwritable`. */
const write = (folder: string, replays: readonly (Omit<Replayable, 'version' | 'model' | 'own'> & { readonly model: AnyModel })[]): TaskEither<Problem, readonly string[]> => async () => {
  try {
    if (replays.length > 0) await makeFolder(folder)
    const taken = new Map<string, number>()
    const files = replays.map(({ target, law }) => {
      const stem = `${target.replace(/^.*[\\/]/, '').replace(/[^\w]+/g, '-')}-${law}`
      const count = taken.get(stem) ?? 0
      taken.set(stem, count + 1)
      return join(folder, `${stem}${count === 0 ? '' : `-${count + 1}`}.json`)
    })
    await Promise.all(replays.map(({ model, ...rest }, i) => writeFile(files[i]!, `${JSON.stringify({ version: 1, ...rest, model: toJson(model), own: ownKinds(model) } satisfies Replayable, null, 2)}\n`)))
    return right(files)
  } catch (cause) {
    return left(problem('fileUnwritable', `${folder}: ${messageOf(cause)}`))
  }
}

const isReplayable = (value: Readonly<Record<string, unknown>>): boolean => value['version'] === 1 && ['target', 'law'].every(key => typeof value[key] === 'string') && ['backends', 'own'].every(key => Array.isArray(value[key]))

/** Reads one back, with its model built again. Errors: those of `readJson`, `subjects` and `fromJson`; `notAReplay`. */
const read = (file: string): TaskEither<Problem, { readonly replay: Replayable; readonly model: AnyModel }> => async () => {
  const text = await readJson.text(file)()
  if (text._tag === 'Left') return text
  const value = readJson.object(text.right, file)
  if (value._tag === 'Left') return value
  if (!isReplayable(value.right)) return left(problem('notAReplay', `${file}: is no replay file`, { remedy: '`vitrail check` writes one for each failure, into .vitrail' }))
  const replay = value.right as unknown as Replayable
  let own: Constructors = {}
  if (replay.own.length > 0) {
    const found = await subjects.all(replay.target)()
    if (found._tag === 'Left') return found
    const makers = found.right.flatMap(({ model }) => placesOf(model).flatMap(madeIn))
    own = Object.fromEntries(makers.filter(([kind, make]) => replay.own.includes(kind) && constructors[kind]?.make !== make))
  }
  const model = fromJson(replay.model, own)
  return model._tag === 'Left' ? left({ ...model.left, sentence: `${file}: ${model.left.sentence}` }) : right({ replay, model: model.right })
}

const madeIn = ({ layer: { definition }, children }: Place): readonly (readonly [string, Constructors[string]])[] => [[definition.kind, definition.make], ...children.flatMap(madeIn)]

/** Replay files of `vitrail check`. */
export const checkReplay = { write, read } as const
