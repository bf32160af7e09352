import { right } from 'fp-ts/lib/Either.js'
import { recipes, type Recipe } from '../../recipes/index.js'
import { cost } from '../graph/cost.js'
import { trace } from '../graph/trace.js'
import { showFields, type SignalShape } from '../shape/shape.js'
import type { CliCommand } from './parts/command.js'
import { embeddedWeights } from './parts/embeddedWeights.js'
import { format } from './parts/format.js'
import { inputShape } from './parts/inputShape.js'
import { options } from './parts/options.js'
import { table } from './parts/table.js'

/** `vitrail list`: every published model. */
export const list: CliCommand<{ readonly json?: boolean }> = {
  usage: 'list',
  about: 'lists every published model by family',
  examples: ['vitrail list', 'vitrail list --json'],
  options: [options.json()],
  run: (_, { json = false }, { print, colours }) => async () => {
    const rows: { readonly id: string; readonly family: string; readonly input: SignalShape; readonly params: number; readonly source: string; readonly hasWeights: boolean }[] = []
    for (const [id, { family, model, source }] of Object.entries(recipes as unknown as Readonly<Record<string, Recipe>>)) {
      const traced = trace(model)
      if (traced._tag === 'Left') return traced
      rows.push({ id, family, input: inputShape(model.input), params: cost(traced.right).params, source, hasWeights: embeddedWeights(id) !== undefined })
    }
    if (json) {
      print(JSON.stringify(rows, null, 2))
      return right(0)
    }
    const blocks = [...new Set(rows.map(({ family }) => family))].map(family => {
      const members = rows.filter(row => row.family === family)
      const body = table([{ title: 'id' }, { title: 'input' }, { title: 'parameters', align: 'right' }, { title: '' }], members.map(({ id, input, params, hasWeights }) => [id, showFields(input), format.count(params), hasWeights ? 'with weights' : '']), colours)
      return `${colours.bold(family)}  ${colours.dim(members[0]!.source)}\n${body}`
    })
    print(blocks.join('\n\n'))
    return right(0)
  },
}
