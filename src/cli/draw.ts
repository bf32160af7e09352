import { writeFile } from 'node:fs/promises'
import { left, right } from 'fp-ts/lib/Either.js'
import { toMermaid } from '../exporters/mermaid/toMermaid.js'
import { toSvg } from '../exporters/svg/toSvg.js'
import { problem } from '../shape/problem.js'
import { changesFrom } from './parts/changesFrom.js'
import type { CliCommand } from './parts/command.js'
import { messageOf } from './parts/messageOf.js'
import { options } from './parts/options.js'
import { subjects } from './parts/subjects.js'

interface DrawOptions {
  readonly config?: string
  readonly image?: readonly [number, number]
  readonly mermaid?: boolean
  readonly output?: string
}

/** `vitrail draw`: a picture of a model. */
export const draw: CliCommand<DrawOptions> = {
  usage: 'draw <model>',
  about: 'draws a model as SVG, or as a Mermaid flowchart',
  examples: ['vitrail draw vit_tiny_patch16_224 -o vit.svg', 'vitrail draw deit_tiny_distilled_patch16_224 --mermaid'],
  options: [options.text('--config <json>', 'options to change, as a JSON object'), options.imageSize(), options.text('--mermaid', 'a Mermaid flowchart, which GitHub draws'), options.text('-o, --output <file>', 'where to write it; standard output unless given')],
  run: ([target = ''], { mermaid = false, output, ...asked }, { print }) => async () => {
    const changes = changesFrom(asked)
    if (changes._tag === 'Left') return changes
    const subject = await subjects.one(target, changes.right)()
    if (subject._tag === 'Left') return subject
    const { id, model } = subject.right
    const drawn = mermaid ? toMermaid(model) : toSvg(model, id)
    if (drawn._tag === 'Left') return drawn
    if (output === undefined) {
      print(drawn.right.trimEnd())
      return right(0)
    }
    try {
      await writeFile(output, drawn.right)
      return right(0)
    } catch (fault) {
      return left(problem('notWritten', `draw: ${output} cannot be written: ${messageOf(fault)}`))
    }
  },
}
