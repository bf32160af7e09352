import { left, right } from 'fp-ts/lib/Either.js'
import { problem, showProblem } from '../shape/problem.js'
import { backends } from './parts/backends.js'
import { classifier } from './parts/classifier.js'
import type { CliCommand } from './parts/command.js'
import { format } from './parts/format.js'
import { options } from './parts/options.js'
import { readJson } from './parts/readJson.js'
import { subjects } from './parts/subjects.js'
import { table } from './parts/table.js'

interface RunCommandOptions {
  readonly image: readonly string[]
  readonly weights?: string
  readonly labels?: string
  readonly backend: string
  readonly top: number
  readonly attention?: string
  readonly json?: boolean
}

/** `vitrail run`: what a model sees in images. */
export const run: CliCommand<RunCommandOptions> = {
  usage: 'run <model>',
  about: 'says what a model sees in PNG or JPEG images',
  examples: ['vitrail run vit_fashion_mnist --image bag.png boot.png', 'vitrail run vit_base_patch16_224 --image cat.jpg --weights vit.safetensors --labels imagenet.txt', 'vitrail run trained.safetensors --image cat.jpg --top 3 --json', 'vitrail run vit_fashion_mnist --image bag.png --attention seen'],
  options: [
    options.text('--image <files...>', 'the images').makeOptionMandatory(),
    options.text('--weights <file>', 'a safetensors file with the weights, under their published names'),
    options.text('--labels <file>', 'the names of the classes: a JSON array, or one a line'),
    options.backend(),
    options.wholeNumber('--top <n>', 'how many classes to show').default(5),
    options.text('--attention <folder>', 'a folder for PNGs of where it looks (attention rollout)'),
    options.json(),
  ],
  run: ([target = ''], { image: files, weights, labels, backend: name, top, attention: folder, json = false }, { print, warn, colours }) => async () => {
    const subject = await subjects.one(target)()
    if (subject._tag === 'Left') return subject
    const weightFile = weights ?? subject.right.weights
    if (weightFile === undefined) return left(problem('noWeights', `${target}: comes without weights`, { remedy: `pass --weights FILE, or make random ones with \`vitrail init ${target} --seed 1 -o FILE\`` }))
    const written = labels === undefined ? undefined : await readJson.text(labels)()
    if (written?._tag === 'Left') return written
    const backend = await backends.find(name)()
    if (backend._tag === 'Left') return backend
    const made = await classifier(subject.right, weightFile, backend.right, written === undefined ? undefined : { text: written.right, file: labels! })()
    if (made._tag === 'Left') return made
    // Loaded only where it is asked for.
    const pictures = folder === undefined ? undefined : await (await import('./parts/attentionPictures.js')).attentionPictures(subject.right, weightFile, backend.right, folder)()
    if (pictures?._tag === 'Left') return pictures
    const results: object[] = []
    let failed = false
    for (const file of files) {
      const seen = await made.right.see(file)()
      if (seen._tag === 'Left') {
        failed = true
        warn(`vitrail: ${showProblem(seen.left)}`)
        results.push({ file, error: showProblem(seen.left) })
        continue
      }
      const { probabilities, ms } = seen.right
      const best = probabilities.map((probability, index) => ({ label: made.right.labels[index]!, index, probability })).sort((a, b) => b.probability - a.probability).slice(0, top)
      const drawn = await pictures?.right.draw(file)()
      if (drawn?._tag === 'Left') return drawn
      results.push({ file, top: best, probabilities, ms, ...(drawn === undefined ? {} : { attention: drawn.right }) })
      if (json) continue
      const rows = best.map(({ label, probability }) => [label, `${(100 * probability).toFixed(2)} %`])
      print(`${colours.bold(file)}  ${colours.dim(`${format.duration(ms)} on ${name}`)}`)
      print(`${table([{ title: 'class' }, { title: 'probability', align: 'right' }], rows, colours)}\n`)
      if (drawn !== undefined) print(`where it looks: ${drawn.right}\n`)
    }
    made.right.dispose()
    pictures?.right.dispose()
    if (json) print(JSON.stringify(results, null, 2))
    return right(failed ? 2 : 0)
  },
}
