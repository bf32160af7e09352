import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { left, right } from 'fp-ts/lib/Either.js'
import { problem } from '../shape/problem.js'
import { files } from '../training/checkpoint/checkpoints.js'
import type { Change } from '../training/config/withChanges.js'
import { prepareTraining } from '../training/loop/prepareTraining.js'
import { train as trainModel } from '../training/loop/train.js'
import { backends } from './parts/backends.js'
import type { CliCommand, ExitCode } from './parts/command.js'
import { commandLine } from './parts/commandLine.js'
import { interruption } from './parts/interruption.js'
import { options } from './parts/options.js'
import { configured } from './parts/training/configured.js'
import { describePlan, follow } from './parts/training/follow.js'
import { readChange, readTraining } from './parts/training/readTraining.js'
import { writeReport } from './parts/training/writeReport.js'

interface TrainCommandOptions {
  readonly out?: string
  readonly resume?: boolean
  readonly backend: string
  readonly threads?: number
  readonly epochs?: number
  readonly batchSize?: number
  readonly seed?: number
  readonly set?: readonly string[]
  readonly dryRun?: boolean
}

/** `vitrail train`: trains what a configuration file describes. */
export const train: CliCommand<TrainCommandOptions> = {
  usage: 'train <config>',
  about: 'trains a model as a configuration file says, and goes on where it was stopped',
  examples: ['vitrail train training.json --out run', 'vitrail train training.ts --out run --resume', 'vitrail train training.json --dry-run --set model.config.depth=4 schedule.config.rate=0.003'],
  options: [
    options.text('--out <folder>', 'where checkpoints, metrics and the report are written (default: the name of the configuration)'),
    options.text('--resume', 'goes on from the last checkpoint there'),
    options.backend(),
    options.wholeNumber('--epochs <n>', 'as `epochs` in the configuration'),
    options.wholeNumber('--batch-size <n>', 'as `batchSize`'),
    options.wholeNumber('--seed <n>', 'as `seed`', 0),
    options.text('--set <changes...>', 'options of the configuration that are to be otherwise: a.b=value'),
    options.text('--dry-run', 'says what it would do, and stops'),
  ],
  run: ([file = ''], { out, resume = false, backend: name, threads, epochs, batchSize, seed, set = [], dryRun = false }, terminal) => async () => {
    const changes: Change[] = [...(epochs === undefined ? [] : [['epochs', epochs] as const]), ...(batchSize === undefined ? [] : [['batchSize', batchSize] as const]), ...(seed === undefined ? [] : [['seed', seed] as const])]
    for (const text of set) {
      const change = readChange(text)
      if (change._tag === 'Left') return change
      changes.push(change.right)
    }
    const config = await readTraining(file, changes, sentence => terminal.warn(`vitrail: ${sentence}`))()
    if (config._tag === 'Left') return config
    const backend = await backends.find(name)()
    if (backend._tag === 'Left') return backend
    const folder = out ?? file.replace(/\.\w+$/, '')
    if (folder === file) return left(problem('badOption', `train: say with --out where to write`))
    const goesOn = resume && [files.last, files.previous].some(name => existsSync(join(folder, name)))
    const opened = await configured(config.right, dirname(file), goesOn)()
    if (opened._tag === 'Left') return opened
    const { id, model, form, objective, data, weights, about, remarks, close } = opened.right
    try {
      for (const remark of remarks) terminal.warn(`vitrail: ${remark}`)
      const { model: _, data: __, weights: ___, freeze: ____, objective: _____, source: ______, ...settings } = config.right
      const given = { ...settings, backend: backend.right, about, resume, ...(objective === undefined ? {} : { objective }), ...(form === undefined ? {} : { form }), ...(weights === undefined ? {} : { weights }) }
      if (dryRun) {
        const prepared = await prepareTraining(model, data, { ...given, ...(resume ? { folder } : {}) })()
        if (prepared._tag === 'Left') return prepared
        terminal.print(describePlan(prepared.right.plan, id, config.right.batchSize))
        await prepared.right.dispose()
        return right(0)
      }
      const follower = await follow(terminal, id, config.right.batchSize)
      const interrupt = interruption(() => terminal.warn('\nvitrail: stopping with a checkpoint; press Ctrl-C again to stop at once'))
      const done = await trainModel(model as never, data, { ...given, folder, onEvent: follower.tell, signal: interrupt.signal })()
      follower.stop()
      interrupt.release()
      if (done._tag === 'Left') return done
      const { reason, step, best } = done.right
      if (reason === 'aborted') {
        terminal.print(`stopped at step ${step}; to go on: ${commandLine(['train', file], { out: folder, backend: name === 'wasm' ? undefined : name, threads, epochs, 'batch-size': batchSize, seed, set: set.length === 0 ? undefined : set, resume: true })}`)
        return right<never, ExitCode>(1)
      }
      const report = await writeReport(join(folder, files.report), { id, model, data, ...(objective === undefined ? {} : { objective }), ...(form === undefined ? {} : { form }), result: done.right, metrics: join(folder, files.metrics), backend: backend.right, batchSize: config.right.batchSize, seed: config.right.seed ?? 0 })()
      if (report._tag === 'Left') return report
      terminal.print(`${reason === 'finished' ? 'finished' : `stopped early, ${config.right.patience} validations after the best,`} at step ${step}${best === undefined ? '' : `; best ${best.by} ${best.value.toFixed(4)} at step ${best.step}`}`)
      terminal.print(`weights     ${join(folder, best === undefined ? files.last : files.best)}\nreport      ${join(folder, files.report)}`)
      return right<never, ExitCode>(0)
    } finally {
      await close()
    }
  },
}
