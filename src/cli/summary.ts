import { right } from 'fp-ts/lib/Either.js'
import { cost, multiplyAddsByInput, parameterCount } from '../graph/cost.js'
import { trace } from '../graph/trace.js'
import { shapeOfSignal } from '../layers/core/refuse.js'
import { showFields } from '../shape/shape.js'
import { changesFrom } from './parts/changesFrom.js'
import type { CliCommand } from './parts/command.js'
import { format } from './parts/format.js'
import { inputShape } from './parts/inputShape.js'
import { layerRows } from './parts/layerRows.js'
import { options } from './parts/options.js'
import { subjects } from './parts/subjects.js'
import { table } from './parts/table.js'

interface SummaryOptions {
  readonly config?: string
  readonly image?: readonly [number, number]
  readonly json?: boolean
}

/** `vitrail summary`: a model layer by layer, without running it. */
export const summary: CliCommand<SummaryOptions> = {
  usage: 'summary <model>',
  about: 'shows a model layer by layer: output shapes, parameters, multiply-adds',
  examples: ['vitrail summary vit_tiny_patch16_224', 'vitrail summary deit_small_patch16_224 --image 384', `vitrail summary vit_tiny_patch16_224 --config '{"depth": 6}' --json`, 'vitrail summary recipe.ts#tiny'],
  options: [options.text('--config <json>', 'options to change, as a JSON object'), options.imageSize(), options.json()],
  run: ([target = ''], { json = false, ...asked }, { print, colours }) => async () => {
    const changes = changesFrom(asked)
    if (changes._tag === 'Left') return changes
    const subject = await subjects.one(target, changes.right)()
    if (subject._tag === 'Left') return subject
    const { id, model } = subject.right
    const traced = trace(model)
    if (traced._tag === 'Left') return traced
    const [input, output, layers] = [inputShape(model.input), shapeOfSignal(traced.right.output), layerRows(traced.right)]
    const { params, macs, activationBytes } = cost(traced.right)
    const trained = parameterCount(traced.right.parameters.filter(p => p.attributes.role === 'trained'))
    const byInput = multiplyAddsByInput(traced.right)
    if (json) {
      print(JSON.stringify({ id, input, output, params, trained, macs, ...(byInput === undefined ? {} : { macsByInput: byInput }), activationBytes, layers }, null, 2))
      return right(0)
    }
    const rows = layers.map(row => [row.path === '' ? '·' : row.path, row.layer, showFields(row.output), row.params === 0 ? '' : format.count(row.params), row.macs === 0 ? '' : format.count(row.macs)])
    const totals = [['', 'in all', showFields(output), format.count(params), format.count(macs.total)]]
    print(`${colours.bold(id)}  ${showFields(input)} → ${showFields(output)}\n`)
    print(table([{ title: 'path' }, { title: 'layer' }, { title: 'output', align: 'right' }, { title: 'parameters', align: 'right' }, { title: 'multiply-adds', align: 'right' }], rows, colours, totals))
    if (trained < params) print(`\nparameters: ${format.count(trained)} are trained, ${format.count(params - trained)} are frozen`)
    print(`\nmultiply-adds: ${format.count(macs.linear)} linear, ${format.count(macs.conv)} convolution, ${format.count(macs.matmul)} matrix product`)
    if (byInput !== undefined) print(`of these, ${Object.entries(byInput).map(([name, { total }]) => `${format.count(total)} are of ${name}`).join(', ')}`)
    print(`activations alive at once, at most: ${format.short(activationBytes)}B for one sample in float32`)
    return right(0)
  },
}
