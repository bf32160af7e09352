import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { right, type Either } from 'fp-ts/lib/Either.js'
import { cost } from '../graph/cost.js'
import { outline } from '../graph/outline.js'
import { trace } from '../graph/trace.js'
import { shapeOfSignal } from '../layers/core/refuse.js'
import type { Problem } from '../shape/problem.js'
import { showFields } from '../shape/shape.js'
import { backends } from './parts/backends.js'
import { classifier, type Classifier } from './parts/classifier.js'
import type { CliCommand } from './parts/command.js'
import { decodeImage } from './parts/decodeImage.js'
import { drawImage } from './parts/drawImage.js'
import { format } from './parts/format.js'
import { inputShape } from './parts/inputShape.js'
import { options } from './parts/options.js'
import { packageRoot } from './parts/packageRoot.js'
import type { Subject } from './parts/subject.js'
import { subjects } from './parts/subjects.js'
import { table } from './parts/table.js'
import type { Terminal } from './parts/terminal.js'

const id = 'mae_ft_vit_fashion_mnist'
const shown = 'ankle-boot-0.png'

/** `vitrail demo`, which `npm start` runs: a ViT with embedded weights looks at bundled images. */
export const demo: CliCommand<{ readonly backend: string }> = {
  usage: 'demo',
  about: 'lets a small ViT with embedded weights look at bundled images',
  examples: ['vitrail demo', 'vitrail demo --backend cpu'],
  options: [options.backend()],
  run: (_, { backend: name }, terminal) => async () => {
    const { print, colours } = terminal
    const subject = await subjects.one(id)()
    if (subject._tag === 'Left') return subject
    const summarised = summarise(subject.right, terminal)
    if (summarised._tag === 'Left') return summarised
    const began = performance.now()
    const backend = await backends.find(name)()
    if (backend._tag === 'Left') return backend
    const made = await classifier(subject.right, subject.right.weights!, backend.right)()
    if (made._tag === 'Left') return made
    print(`\ncompiled on ${colours.bold(name)} in ${format.duration(performance.now() - began)}; its weights were trained on Fashion-MNIST (recipes/weights/${id}.md)\n`)
    const folder = join(packageRoot(), 'recipes', 'images')
    const looked = await look(join(folder, shown), made.right, terminal)
    const compared = looked._tag === 'Left' ? looked : await lookAtOthers(folder, made.right, terminal)
    made.right.dispose()
    if (compared._tag === 'Left') return compared
    print(`\n${colours.dim('your own:')} npx vitrail run ${id} --image FILE    ${colours.dim('all models:')} npx vitrail list`)
    return right(0)
  },
}

const summarise = ({ model }: Subject, { print, colours }: Terminal): Either<Problem, void> => {
  const traced = trace(model)
  if (traced._tag === 'Left') return traced
  const { params, macs } = cost(traced.right)
  const type = `Model<${[inputShape(model.input), shapeOfSignal(traced.right.output)].map(shape => JSON.stringify(shape).replaceAll(',', ', ')).join(', ')}>`
  print(`${colours.bold(id)}: ${colours.cyan(type)}\n`)
  const steps = outline(model)
  if (steps._tag === 'Left') return steps
  const number = (n: number): string => (n === 0 ? '' : format.count(n))
  const rows = steps.right.map(step => [step.label, colours.dim(step.detail), showFields(step.output), number(step.params), number(step.macs)])
  const totals = [['in all', '', '', format.count(params), format.count(macs.total)]]
  print(table([{ title: 'layer' }, { title: '' }, { title: 'output', align: 'right' }, { title: 'parameters', align: 'right' }, { title: 'multiply-adds', align: 'right' }], rows, colours, totals))
  return right(undefined)
}

/** The picture, and beside it what the model thinks it is. */
const look = async (file: string, { see, labels }: Classifier, { print, colours }: Terminal): Promise<Either<Problem, void>> => {
  const image = await decodeImage(file)()
  if (image._tag === 'Left') return image
  const seen = await see(file)()
  if (seen._tag === 'Left') return seen
  const { probabilities, ms } = seen.right
  const classes = labels.map((label, i) => ({ label, probability: probabilities[i]! })).sort((a, b) => b.probability - a.probability).slice(0, 5)
  const notes = [`sees, in ${format.duration(ms)}:`, '', ...classes.map(({ label, probability }) => `${label.padEnd(12)}${(100 * probability).toFixed(1).padStart(5)} %  ${colours.green('█'.repeat(Math.round(30 * probability)))}`)]
  const picture = drawImage(image.right, colours)
  for (let i = 0; i < Math.max(picture.length, notes.length); i++) print(`  ${picture[i] ?? ' '.repeat(image.right.width)}    ${notes[i] ?? ''}`.trimEnd())
  return right(undefined)
}

/** One more image of every class, and whether it is recognised. */
const lookAtOthers = async (folder: string, { see, labels }: Classifier, { print, colours }: Terminal): Promise<Either<Problem, void>> => {
  const files = (await readdir(folder)).filter(file => file.endsWith('.png') && file !== shown).sort()
  const rows: string[][] = []
  for (const label of labels) {
    const file = files.find(name => name.replace(/-\d+\.png$/, '') === label.replace(' ', '-'))
    if (file === undefined) continue
    const seen = await see(join(folder, file))()
    if (seen._tag === 'Left') return seen
    const highest = Math.max(...seen.right.probabilities)
    const guess = labels[seen.right.probabilities.indexOf(highest)]!
    rows.push([file, label, guess, `${(100 * highest).toFixed(1)} %`, guess === label ? colours.green('right') : colours.red('wrong')])
  }
  print(`\n${table([{ title: 'image' }, { title: 'is' }, { title: 'seen as' }, { title: '', align: 'right' }, { title: '' }], rows, colours)}`)
  return right(undefined)
}
