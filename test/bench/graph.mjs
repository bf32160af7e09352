// From a recipe to a plan: npm run bench:graph [-- --json]
//
// Time and memory of trace, passes and plan, each model for the first time in a fresh process (medians of five), which is
// what a user waits for; the most that a plan's buffers hold against the least that any could, the sum of the results
// that are still needed, and what the wasm backend then holds with the scratch memory of its kernels; and from nothing
// to a first result. Ends with 1 where a goal is missed.
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { createJiti } from 'jiti'
import picocolors from 'picocolors'
import { prepare } from './peers/models.mjs'

const jiti = createJiti(import.meta.url)
const { median } = await jiti.import('./page.ts')
const { table } = await jiti.import('../../src/cli/parts/table.ts')

const repeats = 5
const goals = { planMs: 150, buffers: 1.15, firstResultMs: 600 }
const timed = ['vit_huge_patch14_224', 'swin_large_patch4_window7_224', '200-layers', 'vit_tiny_patch16_224']
/** Those whose plan has to be quick. */
const bound = ['vit_huge_patch14_224', '200-layers']
const buffered = ['vit_tiny_patch16_224', 'vit_base_patch16_224', 'swin_tiny_patch4_window7_224', '200-layers']

if (process.argv.slice(2).some(argument => argument !== '--json')) {
  console.error(`bench:graph: there is no '${process.argv.slice(2).find(argument => argument !== '--json')}'; it takes --json alone`)
  process.exit(2)
}
const json = process.argv.includes('--json')

const child = (file, ...given) =>
  new Promise((resolve, reject) => {
    const started = fork(fileURLToPath(new URL(file, import.meta.url)), given, { execArgv: [...process.execArgv, '--expose-gc'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    let result
    started.on('message', message => (result = message))
    started.on('exit', code => (result === undefined ? reject(new Error(`${given.join(' ')}: the process ended with ${code}`)) : resolve(result)))
  })
const medians = async (file, ...given) => {
  const runs = []
  for (let i = 0; i < repeats; i++) runs.push(await child(file, ...given))
  return Object.fromEntries(Object.keys(runs[0]).flatMap(key => (typeof runs[0][key] === 'number' ? [[key, median(runs.map(r => r[key]))]] : [])))
}

const missed = []
const plans = []
for (const name of timed) {
  const result = { name, ...(await medians('graph/one.mjs', 'time', name)) }
  plans.push(result)
  if (bound.includes(name) && result.totalMs > goals.planMs) missed.push(`trace, passes and plan of ${name} take ${result.totalMs.toFixed(0)} ms, not ${goals.planMs}`)
}
const buffers = []
for (const name of buffered) {
  const { held, planned, needed, loaded } = await child('graph/one.mjs', 'buffers', name)
  buffers.push({ name, planned, needed, ratio: planned / needed, held, loaded })
  if (planned / needed > goals.buffers) missed.push(`planned buffers of ${name} are ${(planned / needed).toFixed(2)} times what is needed, not ${goals.buffers}`)
}
const id = 'vit_tiny_patch16_224'
await prepare(id, false)
const first = await medians('peers/cold.mjs', JSON.stringify({ id, shape: [224, 224, 3], threads: 2, name: 'vitrail-wasm' }))
if (first.totalMs > goals.firstResultMs) missed.push(`a first result of ViT-Ti takes ${first.totalMs.toFixed(0)} ms, not ${goals.firstResultMs}`)

if (json) console.log(JSON.stringify({ plans, buffers, first, goals, missed }, null, 2))
else {
  const ms = value => value.toFixed(1)
  const megabytes = value => (value / 1e6).toFixed(2)
  const columns = titles => titles.map((title, i) => ({ title, align: i === 0 ? 'left' : 'right' }))
  console.log(`${table(columns(['the first time, ms', 'trace', 'passes', 'plan', 'together', 'warm', 'nodes', 'steps', 'heap, MB']), plans.map(p => [p.name, ms(p.traceMs), ms(p.passesMs), ms(p.planMs), ms(p.totalMs), ms(p.warmMs), String(p.nodes), String(p.steps), megabytes(p.bytes)]), picocolors)}\n`)
  console.log(`${table(columns(['buffers of one image, MB', 'needed', 'planned', 'ratio', 'with scratch', 'weights']), buffers.map(b => [b.name, megabytes(b.needed), megabytes(b.planned), b.ratio.toFixed(2), megabytes(b.held), megabytes(b.loaded)]), picocolors)}\n`)
  console.log(table(columns(['first result of ViT-Ti, ms', 'import', 'load and plan', 'first run', 'together']), [['Vitrail, wasm, 2 threads', ms(first.importMs), ms(first.loadMs), ms(first.firstMs), ms(first.totalMs)]], picocolors))
}
for (const line of missed) console.error(`bench:graph: ${line}`)
process.exit(missed.length === 0 ? 0 : 1)
