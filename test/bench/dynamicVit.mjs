// What dropping tokens saves: a DynamicViT against its own backbone, interleaved in one process on wasm, medians.
// Usage: node test/bench/dynamicVit.mjs [id] [batch] [runs]
import { compile, cost, initialWeights, trace } from 'vitrail'
import { wasm } from 'vitrail/backends/wasm'
import { recipes } from 'vitrail/recipes'

const [id = 'dynamicvit_deit_s_0.7', batch = '8', runs = '5'] = process.argv.slice(2)
const recipe = recipes[id]
if (recipe?.family !== 'dynamicvit') {
  console.error(`bench: '${id}' is no DynamicViT of the listing; try dynamicvit_deit_s_0.7`)
  process.exit(2)
}
const valueOf = either => {
  if (either._tag === 'Left') throw new Error(either.left.sentence)
  return either.right
}
const median = times => [...times].sort((a, b) => a - b)[times.length >> 1]

// The backbone is the same recipe where nothing is dropped; its weights are those of the other.
const models = { backbone: recipe.withConfig({ pruneAt: [], keep: [] }).model, [id]: recipe.model }
const weights = valueOf(initialWeights(recipe.model, 1))
const ways = {}
for (const [name, model] of Object.entries(models)) {
  const graph = valueOf(trace(model))
  const own = new Map(graph.parameters.map(({ attributes: { name: parameter } }) => [parameter, weights.get(parameter)]))
  ways[name] = { program: valueOf(await compile(model, { backend: wasm, weights: own })()), macs: cost(graph).macs.total, times: [] }
}
const pixels = Float32Array.from({ length: Number(batch) * recipe.model.input.shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i))
for (let run = -1; run < Number(runs); run++)
  for (const { program, times } of Object.values(ways)) {
    const start = performance.now()
    valueOf(await program.run(pixels)())
    if (run >= 0) times.push(performance.now() - start)
  }
console.log(`batch ${batch}, wasm, one thread, medians of ${runs} interleaved runs`)
for (const [name, { macs, times }] of Object.entries(ways)) console.log(`${name.padEnd(24)} ${(macs / 1e9).toFixed(2).padStart(6)} G multiply-adds ${median(times).toFixed(0).padStart(7)} ms`)
const [whole, dropping] = Object.values(ways)
const ratio = median(whole.times) / median(dropping.times)
console.log(`${'ratio'.padEnd(24)} ${(whole.macs / dropping.macs).toFixed(2).padStart(6)} times fewer      ${ratio.toFixed(2).padStart(7)} times faster`)
if (!(ratio >= 1.25)) process.exit(1)
