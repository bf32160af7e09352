// One forward pass on wasm: Vitrail against the same model hand-written in plain tfjs ops, interleaved in
// one process, outputs compared. Usage: npm run bench [-- id] [-- id batch runs]
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-wasm'
import { compile, initialWeights, parametersOf, trace } from 'vitrail'
import { wasmWith } from 'vitrail/backends/wasm'
import { recipes } from 'vitrail/recipes'
import { plain } from './peers/tfjs/plain.mjs'
import { vit } from './peers/tfjs/vit.mjs'

const [id = 'vit_small_patch16_224', batch = '1', runs = '11'] = process.argv.slice(2)
const recipe = recipes[id]
if (recipe === undefined || recipe.family !== 'vit') {
  console.error(`bench: '${id}' is no ViT of the listing; try vit_small_patch16_224`)
  process.exit(2)
}
for (const [what, text] of [['batch', batch], ['runs', runs]])
  if (!/^[1-9]\d*$/.test(text)) {
    console.error(`bench: ${what} must be a whole number from 1 on, but is '${text}'`)
    process.exit(2)
  }
const valueOf = either => {
  if (either._tag === 'Left') throw new Error(either.left.sentence)
  return either.right
}
const median = times => [...times].sort((a, b) => a - b)[times.length >> 1]

await tf.setBackend('wasm')
const weights = valueOf(initialWeights(recipe.model, 1))
const program = valueOf(await compile(recipe.model, { backend: wasmWith({ threads: 1 }), weights })())
const parameters = parametersOf(valueOf(trace(recipe.model))).map(({ shape, attributes: { name } }) => [name, { shape, values: weights.get(name) }])
const written = vit(tf, plain, new Map(parameters), recipe.config)
const shape = [Number(batch), ...recipe.model.input.shape]
const pixels = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i))

const ways = {
  'plain tfjs': async () => {
    const x = tf.tensor(pixels, shape)
    const y = written(x)
    const values = await y.data()
    tf.dispose([x, y])
    return values
  },
  vitrail: async () => valueOf(await program.run(pixels)()),
}
const times = Object.fromEntries(Object.keys(ways).map(name => [name, []]))
const outputs = {}
for (let run = -2; run < Number(runs); run++)
  for (const [name, way] of Object.entries(ways)) {
    const start = performance.now()
    outputs[name] = await way()
    if (run >= 0) times[name].push(performance.now() - start)
  }
const difference = outputs['plain tfjs'].length === outputs.vitrail.length ? outputs['plain tfjs'].reduce((most, x, i) => Math.max(most, Math.abs(x - outputs.vitrail[i])), 0) : Infinity
console.log(`${id}, batch ${batch}, one thread, medians of ${runs} interleaved runs`)
for (const [name, t] of Object.entries(times)) console.log(`${name.padEnd(12)} ${median(t).toFixed(1).padStart(8)} ms`)
console.log(`ratio        ${(median(times['plain tfjs']) / median(times.vitrail)).toFixed(2).padStart(8)} times faster; largest difference of an output ${difference.toExponential(1)}`)
if (!(difference < 1e-4)) process.exit(1)
