import { stat, writeFile } from 'node:fs/promises'
import { basename, dirname, extname } from 'node:path'
import { left, right, type Either } from 'fp-ts/lib/Either.js'
import { problem, type Problem } from '../shape/problem.js'
import type { WrittenAugmentation } from '../training/data/augment/augmentation.js'
import { augmentationsOf } from '../training/data/augment/augmentationsOf.js'
import type { FitOptions } from '../training/data/fitImage.js'
import { augmented } from './parts/augment/augmented.js'
import { contactSheet, type Cell, type Sheet } from './parts/augment/contactSheet.js'
import type { CliCommand } from './parts/command.js'
import { decodeImage } from './parts/decodeImage.js'
import { messageOf } from './parts/messageOf.js'
import { options } from './parts/options.js'
import { preprocessingOf } from './parts/preprocessingOf.js'
import { progress } from './parts/progress.js'
import { readJson } from './parts/readJson.js'
import { fitted } from './parts/training/configured.js'
import { readTraining } from './parts/training/readTraining.js'
import { subjectOf } from './parts/training/subjectOf.js'

interface AugmentOptions {
  readonly preview: string
  readonly config?: string
  readonly augment?: string
  readonly image?: readonly [number, number]
  readonly seed: number
  readonly count: number
}

/** The steps to show, and how pictures become what a model takes: of its channels, or of their own. */
interface Shown {
  readonly steps: readonly WrittenAugmentation[]
  readonly fit: Omit<FitOptions, 'shape'>
  readonly size: readonly [number, number]
  readonly channels?: number
  readonly seed?: number
}

const kinds = ['.png', '.svg', '.html']
const plainSize = [224, 224] as const
/** Of ImageNet: what stands where a moved picture leaves nothing, and what noise of random erasing is measured by. */
const usual = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }

/** `vitrail augment`: a sheet of augmented pictures, for a person to look at. */
export const augment: CliCommand<AugmentOptions> = {
  usage: 'augment <images...>',
  about: 'shows what augmentation makes of images, on one sheet with the originals first',
  examples: ["vitrail augment --preview sheet.png --augment 'randomResizedCrop,horizontalFlip,rand-m9-mstd0.5-inc1' cat.jpg dog.jpg", 'vitrail augment --preview sheet.html --config training.json --count 12 cat.jpg', `vitrail augment --preview sheet.svg --augment '[{ "name": "randomErasing", "config": { "probability": 1 } }]' cat.jpg`],
  options: [
    options.text('--preview <file>', 'where the sheet is written: a .png, .svg or .html file').makeOptionMandatory(),
    options.text('--config <file>', 'a training, whose steps, sizes and seed are taken'),
    options.text('--augment <steps>', 'steps: names or timm’s notation with commas between, or a list as JSON'),
    options.imageSize(),
    options.wholeNumber('--seed <n>', 'what all chance follows from (default: that of the training, else 0)', 0),
    options.wholeNumber('--count <n>', 'how many pictures to make of each image').default(8),
  ],
  run: (files, { preview, config, augment: written, image, seed, count }, terminal) => async () => {
    const kind = extname(preview).toLowerCase()
    if (!kinds.includes(kind)) return left(problem('badOption', `augment: a sheet is a ${kinds.join(', ')} file, not ${preview}`))
    if ((config === undefined) === (written === undefined)) return left(problem('badOption', `augment: needs --config or --augment, ${config === undefined ? 'but has neither' : 'not both'}`, { remedy: "such as --augment 'randomResizedCrop,rand-m9'" }))
    const shown = config === undefined ? stepsIn(written!) : await trainingIn(config)
    if (shown._tag === 'Left') return shown
    const { fit, steps, size, channels, seed: own = 0 } = shown.right
    const wrong = await cannotWrite(preview)
    if (wrong !== undefined) return left(wrong)
    const augmentations = augmentationsOf(steps)
    if (augmentations._tag === 'Left') return augmentations
    const bar = await progress(terminal, 'augmenting', files.length)
    const rows: (readonly Cell[])[] = []
    try {
      for (const [index, file] of files.entries()) {
        const decoded = await decodeImage(file)()
        if (decoded._tag === 'Left') return decoded
        const [height, width] = image ?? size
        const made = augmented(decoded.right, augmentations.right, { ...fit, shape: [height, width, channels ?? decoded.right.channels] }, { name: basename(file), index, seed: seed ?? own, count })
        if (made._tag === 'Left') return made
        rows.push(made.right)
        bar.advance(1)
      }
    } finally {
      bar.stop()
    }
    const sheet = { title: `${steps.map(step => (typeof step === 'string' ? step : step.name)).join(', ')}; seed ${seed ?? own}`, rows }
    return write(preview, kind, sheet)
  },
}

const stepsIn = (text: string): Either<Problem, Shown> => {
  const trimmed = text.trim()
  const list = /^[[{]/.test(trimmed) ? readJson.parse(trimmed, '--augment') : right(trimmed.split(',').map(name => name.trim()).filter(name => name !== ''))
  if (list._tag === 'Left') return list
  if (Array.isArray(list.right) && list.right.length === 0) return left(problem('nothingToShow', 'augment: --augment names no step', { remedy: "such as --augment 'randomResizedCrop,rand-m9'" }))
  return right({ steps: list.right as readonly WrittenAugmentation[], fit: usual, size: plainSize })
}

/** What a training does to its samples. Errors: those of `readTraining` and `subjectOf`; `nothingToShow`, `notAnImageModel`. */
const trainingIn = async (file: string): Promise<Either<Problem, Shown>> => {
  const config = await readTraining(file)()
  if (config._tag === 'Left') return config
  const { augment: steps = [], data, model, seed } = config.right
  if (steps.length === 0) return left(problem('nothingToShow', `${file}: has no augmentation`, { remedy: `add "augment": ["randomResizedCrop", "horizontalFlip"], or name steps with --augment` }))
  const subject = await subjectOf(model, dirname(file))
  if (subject._tag === 'Left') return subject
  const { input } = subject.right.model
  const [height, width, channels] = 'shape' in input && input.shape.length === 3 ? input.shape : []
  if (height === undefined || width === undefined || channels === undefined) return left(problem('notAnImageModel', `${file}: its model takes no images`))
  const preprocessing = preprocessingOf(subject.right.preprocessing, {})
  const { crop = preprocessing.crop, interpolation } = data
  return right({ steps, size: [height, width], channels, fit: { ...fitted(preprocessing, subject.right.model, data), crop, ...(interpolation === undefined ? {} : { interpolation }) }, ...(seed === undefined ? {} : { seed }) })
}

/** Whether the sheet's folder is there is asked before the work, not after it. */
const cannotWrite = async (file: string): Promise<Problem | undefined> => {
  const folder = await stat(dirname(file)).catch(() => undefined)
  return folder?.isDirectory() === true ? undefined : problem('notWritten', `augment: ${file} cannot be written: there is no folder ${dirname(file)}`, { remedy: 'make the folder first, or name another file' })
}

const write = async (file: string, kind: string, sheet: Sheet): Promise<Either<Problem, 0>> => {
  const drawn = kind === '.html' ? contactSheet.html(sheet) : contactSheet.svg(sheet)
  const content = kind === '.png' ? await (await import('sharp')).default(Buffer.from(drawn), { unlimited: true }).png().toBuffer().catch(messageOf) : drawn
  if (kind === '.png' && typeof content === 'string') return left(problem('notWritten', `augment: ${file} cannot be drawn: ${content}`, { remedy: 'make fewer or smaller pictures (--count, --image), or an .html file, whose rows wrap' }))
  try {
    await writeFile(file, content)
    return right(0)
  } catch (fault) {
    return left(problem('notWritten', `augment: ${file} cannot be written: ${messageOf(fault)}`))
  }
}
