import { dirname, extname } from 'node:path'
import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../shape/problem.js'
import type { DataConfig, DataSource } from '../training/config/defineTraining.js'
import type { Dataset } from '../training/data/dataset.js'
import { evaluate, type Evaluated, type EvaluationData } from '../training/evaluate/evaluate.js'
import { wilson } from '../training/evaluate/wilson.js'
import { classRows } from '../training/report/confusionTable.js'
import { report } from '../training/report/report.js'
import { openSafetensors } from '../weights/openSafetensors.js'
import { backends } from './parts/backends.js'
import { checkpoint } from './parts/checkpoint.js'
import type { CliCommand } from './parts/command.js'
import { options } from './parts/options.js'
import { preprocessingOf } from './parts/preprocessingOf.js'
import { progress } from './parts/progress.js'
import { readLabels } from './parts/readLabels.js'
import { subjects } from './parts/subjects.js'
import { table } from './parts/table.js'
import type { Colours } from './parts/terminal.js'
import { fitted } from './parts/training/configured.js'
import { openData } from './parts/training/openData.js'
import { readTraining } from './parts/training/readTraining.js'
import { writeText } from './parts/training/writeReport.js'

const kinds = ['folder', 'idx', 'cifar10', 'cifar100'] as const

interface EvalOptions {
  readonly data: string
  readonly kind?: string
  readonly labels?: string
  readonly part?: string
  readonly weights?: string
  readonly backend: string
  readonly batchSize: number
  readonly report?: string
  readonly json?: boolean
}

/** `vitrail eval`: how well a model does on a set of images. */
export const evaluation: CliCommand<EvalOptions> = {
  usage: 'eval <model>',
  about: 'says how often a model is right on a set of images, class by class',
  examples: ['vitrail eval run/best.safetensors --data images/test', 'vitrail eval vit_fashion_mnist --data t10k-images-idx3-ubyte.gz --labels t10k-labels-idx1-ubyte.gz --report test.html', 'vitrail eval run/best.safetensors --data training.json'],
  options: [
    options.text('--data <path>', 'a folder with a folder of images for each class, an IDX or CIFAR set, or a training configuration, whose validation data are meant: of a share, what the training of these weights left out').makeOptionMandatory(),
    options.text('--kind <kind>', `what the data are: ${kinds.join(', ')} (default: idx with --labels, else folder)`).choices([...kinds]),
    options.text('--labels <file>', 'the labels of an IDX set'),
    options.text('--part <part>', 'of a CIFAR set (default: test)').choices(['train', 'test']),
    options.text('--weights <file>', 'a safetensors file with the weights, under their published names'),
    options.backend(),
    options.wholeNumber('--batch-size <n>', 'images computed at once').default(32),
    options.text('--report <file>', 'writes an HTML page with the confusion matrix and samples'),
    options.json(),
  ],
  run: ([target = ''], { data: path, kind, labels, part, weights, backend: name, batchSize, report: page, json = false }, terminal) => async () => {
    const subject = await subjects.one(target)()
    if (subject._tag === 'Left') return subject
    const { id, model, preprocessing, weights: own } = subject.right
    const weightFile = weights ?? own
    if (weightFile === undefined) return left(problem('noWeights', `${target}: comes without weights`, { remedy: 'pass --weights FILE' }))
    const backend = await backends.find(name)()
    if (backend._tag === 'Left') return backend
    const opened = await openSafetensors(weightFile)()
    if (opened._tag === 'Left') return opened
    try {
      const loaded = checkpoint(opened.right, model)
      if (loaded._tag === 'Left') return loaded
      const { metadata } = opened.right
      const source = await sourceOf({ data: path, ...(kind === undefined ? {} : { kind }), ...(labels === undefined ? {} : { labels }), ...(part === undefined ? {} : { part }) }, metadata)
      if (source._tag === 'Left') return source
      const usual = preprocessingOf(preprocessing, metadata)
      const { samples, ...more } = source.right.data
      for (const { name: file, reason } of source.right.skipped) terminal.warn(`vitrail: ${file}: left out: ${reason}`)
      const bar = await progress(terminal, 'evaluating', samples.size)
      let shown = 0
      const done = await evaluate(model as never, { samples, crop: usual.crop, ...more, ...fitted(usual, model, more) }, { backend: backend.right, weights: loaded.right, batchSize, seed: source.right.seed, examples: page === undefined ? 0 : 12, onBatch: count => (bar.advance(count - shown), void (shown = count)) })()
      bar.stop()
      if (done._tag === 'Left') return done
      for (const { name: file, reason } of done.right.skipped) terminal.warn(`vitrail: ${file}: left out: ${reason}`)
      if (page !== undefined) {
        const made = await report({ title: id, facts: [['data', samples.name]], metrics: [], evaluation: done.right })
        const written = made._tag === 'Left' ? made : await writeText(page, made.right)()
        if (written._tag === 'Left') return written
      }
      terminal.print(json ? JSON.stringify(asJson(done.right), null, 2) : show(done.right, terminal.colours))
      return right(0)
    } finally {
      await opened.right.close()
    }
  },
}

interface Source {
  readonly data: EvaluationData & { readonly samples: Dataset }
  readonly skipped: readonly { readonly name: string; readonly reason: string }[]
  readonly seed: number
}

/**
 * What is to be looked at. With labels in the weight file, classes are those, in their order; with the seed of its training, a share
 * for validation is the one that was kept then. Errors: those of `readTraining`, `readLabels` and `openData`.
 */
const sourceOf = async ({ data: path, kind, labels, part = 'test' }: Pick<EvalOptions, 'data' | 'kind' | 'labels' | 'part'>, { labels: written, seed }: Readonly<Record<string, string>>): Promise<Either<Problem, Source>> => {
  const listed = written === undefined ? undefined : readLabels(written, (JSON.parse(written) as readonly string[]).length, 'labels')
  if (listed?._tag === 'Left') return listed
  const classes = listed?.right
  if (kind === undefined && /^\.(json|[mc]?[jt]s)$/.test(extname(path))) return configuredSource(path, classes, /^\d+$/.test(seed ?? '') ? Number(seed) : undefined)
  const source = { kind: kind ?? (labels === undefined ? 'folder' : 'idx'), ...(labels === undefined ? { path } : { images: path, labels }), ...(kind?.startsWith('cifar') === true ? { part } : {}) } as DataSource
  if (source.kind === 'idx' && labels === undefined) return left(problem('badOption', '--kind idx: needs the labels', { remedy: 'pass --labels FILE' }))
  const opened = await openData(source, '.', source.kind === 'folder' || source.kind === 'idx' ? classes : undefined)()
  return opened._tag === 'Left' ? opened : right({ data: { samples: opened.right }, skipped: opened.right.skipped ?? [], seed: 0 })
}

const configuredSource = async (file: string, classes: readonly string[] | undefined, seed: number | undefined): Promise<Either<Problem, Source>> => {
  const config = await readTraining(file)()
  if (config._tag === 'Left') return config
  const { validation, mean, std, crop, interpolation, ...rest } = config.right.data as DataConfig
  const opened = await openData(typeof validation === 'object' ? validation : rest, dirname(file), classes)()
  if (opened._tag === 'Left') return opened
  const more = { ...(mean === undefined ? {} : { mean }), ...(std === undefined ? {} : { std }), ...(crop === undefined ? {} : { crop }), ...(interpolation === undefined ? {} : { interpolation }) }
  return right({ data: { samples: opened.right, ...more, ...(typeof validation === 'number' ? { split: { validation, part: 'validation' as const } } : {}) }, skipped: opened.right.skipped ?? [], seed: seed ?? config.right.seed ?? 0 })
}

const percent = (share: number): string => (Number.isFinite(share) ? `${(100 * share).toFixed(2)} %` : '–')

const interval = (share: number, count: number): readonly [number, number] => wilson(Math.round(share * count), count)

const asJson = ({ samples, loss, accuracy, top5, confusion, classes, skipped }: Evaluated): object => ({
  samples, loss, accuracy, interval: interval(accuracy, samples), top5, top5Interval: interval(top5, samples), skipped: skipped.length,
  classes: classRows({ confusion }, classes),
  confusion: classes.map((_, i) => Array.from(confusion.subarray(i * classes.length, (i + 1) * classes.length))),
})

const show = (evaluated: Evaluated, colours: Colours): string => {
  const { samples, loss, accuracy, top5, classes } = evaluated
  const told = (share: number): string => `${percent(share)}  (95 % interval ${interval(share, samples).map(percent).join(' to ')})`
  const rows = classRows(evaluated, classes).map(({ name, samples: count, recall, precision }) => [name, `${count}`, percent(recall), percent(precision)])
  const right = { align: 'right' as const }
  return [
    `${colours.bold('right')}       ${told(accuracy)} of ${samples} samples`,
    ...(classes.length > 5 ? [`${colours.bold('first five')}  ${told(top5)}`] : []),
    `${colours.bold('loss')}        ${loss.toFixed(4)}`,
    '',
    table([{ title: 'class' }, { title: 'samples', ...right }, { title: 'recall', ...right }, { title: 'precision', ...right }], rows, colours),
  ].join('\n')
}
