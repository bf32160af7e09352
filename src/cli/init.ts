import { existsSync } from 'node:fs'
import { left, right } from 'fp-ts/lib/Either.js'
import { parametersOf } from '../graph/graph.js'
import { trace } from '../graph/trace.js'
import { problem } from '../shape/problem.js'
import { sizeOf } from '../shape/shape.js'
import type { TensorToStore } from '../weights/encodedLayout.js'
import { initialise } from '../weights/initialise.js'
import { writeSafetensors } from '../weights/writeSafetensors.js'
import type { CliCommand } from './parts/command.js'
import { format } from './parts/format.js'
import { options } from './parts/options.js'
import { progress } from './parts/progress.js'
import { subjects } from './parts/subjects.js'

interface InitOptions {
  readonly seed: number
  readonly output: string
  readonly force?: boolean
}

/** `vitrail init`: the weights training starts from. Errors: `fileExists`; those of `subjects.one`, `trace` and `writeSafetensors`. */
export const init: CliCommand<InitOptions> = {
  usage: 'init <model>',
  about: 'writes fresh weights, the same for a seed on every machine',
  examples: ['vitrail init vit_tiny_patch16_224 --seed 1 -o tiny.safetensors', 'vitrail init recipe.ts#mine --seed 7 -o mine.safetensors --force'],
  options: [options.wholeNumber('--seed <n>', 'the seed', 0).makeOptionMandatory(), options.text('-o, --output <file>', 'the safetensors file to write').makeOptionMandatory(), options.text('--force', 'replaces a file that is already there')],
  run: ([target = ''], { seed, output, force = false }, terminal) => async () => {
    const subject = await subjects.one(target)()
    if (subject._tag === 'Left') return subject
    if (existsSync(output) && !force) return left(problem('fileExists', `${output}: is already there`, { remedy: 'pass --force to replace it' }))
    const { model, description } = subject.right
    const traced = trace(model)
    if (traced._tag === 'Left') return traced
    const parameters = parametersOf(traced.right)
    const total = parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
    const bar = await progress(terminal, 'drawing', total)
    const tensors: TensorToStore[] = []
    for (const { shape, attributes: { name, initialiser } } of parameters) {
      tensors.push({ name, shape, data: initialise(initialiser, shape, seed, name) })
      bar.advance(sizeOf(shape))
      // Drawing computes without pause; the bar needs a turn to show.
      if (terminal.isWatched) await new Promise(resolve => setImmediate(resolve))
    }
    bar.stop()
    const metadata = { seed: `${seed}`, ...(description === undefined ? {} : { recipe: description.recipe, config: JSON.stringify(description.config) }) }
    const written = await writeSafetensors(output, tensors, metadata)()
    if (written._tag === 'Left') return written
    terminal.print(`${output}: ${format.count(total)} parameters in ${parameters.length} tensors, seed ${seed}`)
    return right(0)
  },
}
