import { join } from 'node:path'
import { left, right, type Either } from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { Backend } from '../backends/device.js'
import { problem, showProblem, type Problem } from '../shape/problem.js'
import { makeFolder } from '../training/checkpoint/makeFolder.js'
import type { TensorToStore } from '../weights/encodedLayout.js'
import { writeSafetensors } from '../weights/writeSafetensors.js'
import { backends } from './parts/backends.js'
import type { CliCommand } from './parts/command.js'
import type { Comparison } from './parts/compare.js'
import { compareAll, type Tolerances } from './parts/compareAll.js'
import { format } from './parts/format.js'
import { messageOf } from './parts/messageOf.js'
import { options } from './parts/options.js'
import { readFull, replayFull } from './parts/fullReplay.js'
import { openRecording, type Recording } from './parts/recording.js'
import { isGradient, replay } from './parts/replay.js'
import { replayTrick } from './parts/tricks/replayTrick.js'
import { table } from './parts/table.js'
import type { Colours } from './parts/terminal.js'

interface VerifyOptions {
  readonly backend: readonly string[]
  readonly tolerance?: number
  readonly dump?: string
  readonly full?: string
  readonly only?: readonly string[]
  readonly json?: boolean
}

/** One recording on one backend. */
interface Verdict {
  readonly file: string
  readonly system: string
  readonly backend: string
  readonly ok: boolean
  readonly tolerance?: Partial<Tolerances>
  readonly outputs: Readonly<Record<string, Comparison>>
  readonly notCompared: readonly string[]
  /** Why it could not be replayed at all. */
  readonly error?: string
}

/**
 * `vitrail verify`: replays recordings of reference implementations and compares every output. Errors: `nothingToVerify`;
 * those of `readFull` and of the backends. What is wrong with one recording is told, and the others are replayed.
 */
export const verify: CliCommand<VerifyOptions> = {
  usage: 'verify [recordings...]',
  about: 'replays recordings of reference implementations and compares every output',
  examples: ['vitrail verify vit_cls_a.safetensors', 'vitrail verify recordings/*.safetensors --backend reference,cpu,wasm', 'vitrail verify vit_cls_a.safetensors --dump computed --json', 'vitrail verify --full full.json --only swin_tiny_patch4_window7_224'],
  options: [
    options.backends(),
    options.positiveNumber('--tolerance <x>', 'the largest absolute error, scaled by the largest element where that exceeds 1 (default: 2e-5; 5e-6 on reference); for gradients, the share of the largest element (default: 1e-4)'),
    options.text('--dump <folder>', 'writes what we computed under the same keys'),
    options.text('--full <file>', 'full-size recordings, their weights made by formula'),
    options.names('--only <names>', 'of the full-size recordings, only these, with commas between'),
    options.json(),
  ],
  run: (files, { backend: names, tolerance, dump, full, only, json = false }, { print, warn, colours }) => async () => {
    if (files.length === 0 && full === undefined) return left(problem('nothingToVerify', 'verify: name one recording or more, or a file of full-size ones with --full'))
    if (only !== undefined && full === undefined) return left(problem('nothingToVerify', 'verify: --only chooses among the recordings of --full'))
    const large = full === undefined ? right([]) : await readFull(full, only)()
    if (large._tag === 'Left') return large
    const found = await backends.findAll(names)()
    if (found._tag === 'Left') return found
    for (const backend of found.right) {
      const opened = await backend.open()
      if (opened._tag === 'Left') return opened
    }
    const verdicts: Verdict[] = []
    const record = (verdict: Either<Problem, Verdict>, failed: Pick<Verdict, 'file' | 'system' | 'backend'>): void => {
      if (verdict._tag === 'Left') warn(`vitrail: ${showProblem(verdict.left)}`)
      verdicts.push(verdict._tag === 'Right' ? verdict.right : { ...failed, ok: false, outputs: {}, notCompared: [], error: showProblem(verdict.left) })
      if (!json && verdict._tag === 'Right') print(`${show(verdict.right, colours)}\n`)
    }
    for (const file of files) {
      const trick = await replayTrick(file, found.right, tolerance)
      for (const [backend, verdict] of trick ?? []) record(verdict, { file, system: '', backend })
      if (trick !== undefined) continue
      const recording = await openRecording(file)()
      for (const backend of found.right) {
        const folder = dump === undefined || found.right.length === 1 ? dump : join(dump, backend.name)
        const verdict = recording._tag === 'Left' ? recording : await verdictOn(file, recording.right, backend, { outputs: tolerance ?? (backend.name === 'reference' ? 5e-6 : 2e-5), gradients: tolerance ?? 1e-4 }, folder)()
        record(verdict, { file, system: recording._tag === 'Right' ? recording.right.system : '', backend: backend.name })
        // One sentence for a file that cannot be opened, not one a backend.
        if (recording._tag === 'Left') break
      }
      if (recording._tag === 'Right') await recording.right.close()
    }
    for (const recording of large.right)
      for (const backend of found.right) {
        const replayed = await replayFull(full!, recording, backend, tolerance)()
        const file = recording.name
        record(replayed._tag === 'Left' ? replayed : right({ file, system: replayed.right.family, backend: backend.name, ok: Object.values(replayed.right.outputs).every(({ ok }) => ok), outputs: replayed.right.outputs, notCompared: [] }), { file, system: '', backend: backend.name })
      }
    if (json) print(JSON.stringify(verdicts, null, 2))
    else print(conclusion(verdicts, colours))
    return right(verdicts.some(({ error }) => error !== undefined) ? 2 : verdicts.every(({ ok }) => ok) ? 0 : 1)
  },
}

const verdictOn = (file: string, recording: Recording, backend: Backend, tolerance: Tolerances, dump: string | undefined): TaskEither<Problem, Verdict> => async () => {
  const replayed = await replay(recording, backend)()
  if (replayed._tag === 'Left') return replayed
  const compared = await compareAll(recording, replayed.right.values, tolerance)()
  if (compared._tag === 'Left') return compared
  const outputs = Object.fromEntries([...compared.right].map(([key, { comparison }]) => [key, comparison]))
  const computed = [...compared.right].flatMap(([name, { values, stored }]) => (values === undefined ? [] : [{ name, shape: stored.shape, data: values } as TensorToStore]))
  if (Object.keys(outputs).length === 0) return left(problem('nothingToCompare', `${file}: holds no @out/…, @feat/… or @grad/… to compare`))
  const written = dump === undefined ? right(undefined) : await write(dump, recording, computed)
  if (written._tag === 'Left') return written
  return right({ file, system: recording.system, backend: backend.name, ok: Object.values(outputs).every(({ ok }) => ok), tolerance: Object.keys(outputs).some(isGradient) ? tolerance : { outputs: tolerance.outputs }, outputs, notCompared: replayed.right.notCompared })
}

const write = async (folder: string, { name, recorded: { metadata } }: Recording, tensors: readonly TensorToStore[]) => {
  try {
    await makeFolder(folder)
  } catch (cause) {
    return left(problem('fileUnwritable', `${folder}: ${messageOf(cause)}`))
  }
  const { system = '', config = '' } = metadata
  return writeSafetensors(join(folder, `${name}.safetensors`), tensors, { system, config, name })()
}

const show = ({ file, system, backend, ok, tolerance, outputs, notCompared }: Verdict, colours: Colours): string => {
  const rows = Object.entries(outputs).map(([key, { maxAbs, maxRel, ok: fits, problem: why }]) => [key, format.error(maxAbs), format.error(maxRel), fits ? colours.green('ok') : colours.red(why ?? 'differs')])
  const others = notCompared.map(key => [key, '', '', colours.dim('not compared')])
  return `${colours.bold(file)}  ${system} on ${backend}: ${ok ? colours.green('ok') : colours.red('differs')}${tolerance?.gradients === undefined ? '' : colours.dim(`  gradients to ${tolerance.gradients} of the largest element`)}\n${table([{ title: 'key' }, { title: 'max abs', align: 'right' }, { title: 'max rel', align: 'right' }, { title: '' }], [...rows, ...others], colours)}`
}

const conclusion = (verdicts: readonly Verdict[], colours: Colours): string => {
  const counts = [
    [verdicts.filter(({ ok }) => ok).length, 'ok'],
    [verdicts.filter(({ ok, error }) => !ok && error === undefined).length, 'differ'],
    [verdicts.filter(({ error }) => error !== undefined).length, 'could not be replayed'],
  ] as const
  return colours.bold(counts.filter(([count], i) => count > 0 || i === 0).map(([count, what]) => `${count} ${what}`).join(', '))
}
