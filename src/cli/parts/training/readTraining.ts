import { extname } from 'node:path'
import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { problem, type Problem } from '../../../shape/problem.js'
import type { TrainingConfig } from '../../../training/config/defineTraining.js'
import { readConfig } from '../../../training/config/readConfig.js'
import { withChanges, type Change } from '../../../training/config/withChanges.js'
import { loadModule } from '../loadModule.js'
import { readJson, type JsonObject } from '../readJson.js'

/**
 * A training configuration out of a JSON file, or the default export of a TypeScript one, with some options changed.
 *
 * Errors: `fileUnreadable`, `fileDoesNotLoad`, `notJson`, `notAnObject`, `noTraining` (a module without a default export);
 * those of `readConfig`.
 *
 * @param tell is told of each option that gives way to a changed one, as `epochs` to `steps`
 */
export const readTraining = (file: string, changes: readonly Change[] = [], tell?: (sentence: string) => void): TaskEither<Problem, TrainingConfig> => async () => {
  const raw = await read(file)
  if (raw._tag === 'Left') return raw
  const config = readConfig(withChanges(raw.right, changes, tell))
  return config._tag === 'Left' ? left({ ...config.left, sentence: `${file}: ${config.left.sentence}`, path: '' }) : config
}

const read = async (file: string): Promise<Either<Problem, JsonObject>> => {
  if (extname(file) === '.json') {
    const text = await readJson.text(file)()
    return text._tag === 'Left' ? text : readJson.object(text.right, file)
  }
  if (!/\.[mc]?[jt]s$/.test(file)) return left(problem('noTraining', `${file}: a training is a .ts, .js or .json file`, { remedy: 'see docs/how-to/train.md' }))
  const loaded = await loadModule(file)()
  if (loaded._tag === 'Left') return loaded
  const config = loaded.right['default']
  return typeof config === 'object' && config !== null ? right(config as JsonObject) : left(problem('noTraining', `${file}: has no default export`, { remedy: 'export default defineTraining({ … })' }))
}

/** `a.b=c` as a change: the value is JSON where it is, else text. Errors: `badOption`. */
export const readChange = (text: string): Either<Problem, Change> => {
  const at = text.indexOf('=')
  if (at < 1) return left(problem('badOption', `--set ${text}: must be option=value, such as schedule.config.rate=0.001`))
  const [path, value] = [text.slice(0, at), text.slice(at + 1)]
  const parsed = readJson.parse(value, path)
  return right([path, parsed._tag === 'Right' ? parsed.right : value])
}
