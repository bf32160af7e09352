import { right } from 'fp-ts/lib/Either.js'
import { showProblem, type Problem } from '../shape/problem.js'
import { showFields, type SignalShape } from '../shape/shape.js'
import type { CliCommand } from './parts/command.js'
import { format } from './parts/format.js'
import { inputShape } from './parts/inputShape.js'
import { options } from './parts/options.js'
import { subjects } from './parts/subjects.js'
import { table } from './parts/table.js'
import { tryModel } from './parts/tryModel.js'

/** What became of one model. */
interface Checked {
  readonly id: string
  readonly ok: boolean
  readonly input: SignalShape
  readonly output?: SignalShape
  readonly params?: number
  readonly backend?: string
  readonly problem?: Problem
}

/** `vitrail check`: whether models fit together and run. */
export const check: CliCommand<{ readonly json?: boolean }> = {
  usage: 'check <models...>',
  about: 'checks that models fit together, and runs each once on batches of 1 and 3',
  examples: ['vitrail check recipe.ts', 'vitrail check recipe.ts#tiny vit_tiny_patch16_224 --json'],
  options: [options.json()],
  run: (targets, { json = false }, { print, warn, colours }) => async () => {
    const checked: Checked[] = []
    let unreadable = false
    for (const target of targets) {
      const found = await subjects.all(target)()
      if (found._tag === 'Left') {
        unreadable = true
        warn(`vitrail: ${showProblem(found.left)}`)
        continue
      }
      for (const { id, model } of found.right) {
        const tried = await tryModel(model)()
        const known = { id, input: inputShape(model.input) }
        checked.push(tried._tag === 'Right' ? { ...known, ok: true, ...tried.right } : { ...known, ok: false, problem: tried.left })
      }
    }
    if (json) print(JSON.stringify(checked, null, 2))
    else if (checked.length > 0) {
      const rows = checked.map(({ id, ok, input, output, params, problem }) => [id, showFields(input), output === undefined ? '' : showFields(output), params === undefined ? '' : format.count(params), ok ? colours.green('ok') : colours.red(showProblem(problem!))])
      print(table([{ title: 'model' }, { title: 'input' }, { title: 'output' }, { title: 'parameters', align: 'right' }, { title: '' }], rows, colours))
    }
    return right(unreadable ? 2 : checked.every(({ ok }) => ok) ? 0 : 1)
  },
}
