// One forward pass, by Vitrail and by others: npm run bench:peers [-- --help]
//
// Each model and number of threads has a process of its own (engines fix their threads when they start), in which all
// engines run in turn on the same images and weights and every output is compared. Then each engine makes its first
// result in a fresh process. What is not installed is told, with how to get it. Relaxed SIMD is measured by running
// this with a runtime that has it: Node 22, or node --experimental-wasm-relaxed-simd.
import { fork, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createJiti } from 'jiti'
import picocolors from 'picocolors'
import { contenders } from './peers/contenders.mjs'
import { folder, importPeer, models, prepare, weightsFile } from './peers/models.mjs'

const jiti = createJiti(import.meta.url)
const { peersOptions } = await jiti.import('./options.ts')
const { coldTable, disagreements, median, reasonOf, section, speedTable, withSection } = await jiti.import('./page.ts')
const { table } = await jiti.import('../../src/cli/parts/table.ts')

const here = path => fileURLToPath(new URL(path, import.meta.url))
/** Runs that are expected to take more seconds are left out. */
const longest = 45
/** First results of a small model vary most, and cost least. */
const coldRuns = multiplyAdds => (multiplyAdds < 2e9 ? 3 : 1)

const read = peersOptions(process.argv.slice(2), { models: Object.keys(models), engines: contenders.map(({ name }) => name) })
if (read._tag === 'Left') {
  console[read.left.code === 0 ? 'log' : 'error'](read.left.text)
  process.exit(read.left.code)
}
const options = read.right
const say = text => options.json || console.log(text)
/** A line that is written over again; where there is no terminal, a line for each process that starts. */
const progress = (text, isStep = false) => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
  else if (isStep) process.stderr.write(`bench:peers: ${text}\n`)
}

/** Installs the pinned packages beside the files of the benchmark; none of them is a dependency of the package. */
const install = () => {
  const at = join(folder, 'peers')
  mkdirSync(at, { recursive: true })
  for (const file of ['package.json', 'package-lock.json', 'load.mjs']) copyFileSync(here(`peers/installed/${file}`), join(at, file))
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: at, stdio: ['ignore', options.json ? 'ignore' : 'inherit', 'inherit'], shell: process.platform === 'win32' })
  if (status !== 0) process.exit(1)
}
if (options.install) install()

const failures = []
const child = (file, task) =>
  new Promise((resolve, reject) => {
    progress(`${task.title}, ${task.threads} thread(s)${task.name === undefined ? '' : `: first result of ${task.name}`}`, true)
    const started = fork(here(`peers/${file}`), [JSON.stringify(task)], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], serialization: 'advanced' }) // JSON has no infinity
    let [result, errors] = [undefined, '']
    started.stderr.on('data', chunk => (errors = `${errors}${chunk}`.slice(-2000)))
    started.on('message', message => (message.at === undefined ? (result = message) : progress(`${task.title}, ${task.threads} thread(s), ${message.at}`)))
    started.on('exit', code => (result === undefined ? reject(new Error(`${task.title}: the process ended with ${code}: ${errors.trim()}`)) : resolve(result)))
  })

const missing = []
const ready = []
for (const c of contenders.filter(({ name }) => options.engines.includes(name))) {
  try {
    for (const name of c.needs) await importPeer(name)
    ready.push(c)
  } catch {
    missing.push({ name: c.name, about: c.about, why: 'not installed; `npm run bench:peers -- --install` installs it' })
  }
}
const withOnnx = ready.some(({ needs }) => needs.includes('protobufjs'))

const { cost, trace } = await import('vitrail')
const { recipes } = await import('vitrail/recipes')
const loadBefore = os.loadavg()[0]
const began = Date.now()
const rates = {}
const results = []
for (const key of options.models) {
  const { title, id } = models[key]
  progress(`${title}: files`)
  await prepare(id, withOnnx)
  const [{ model }, cells] = [recipes[id], []]
  const multiplyAdds = cost(trace(model).right).macs.total
  const able = ready.filter(c => c.cannot?.(id) === undefined && !missing.some(({ name }) => name === c.name))
  for (const [i, threads] of options.threads.entries()) {
    // Those with one thread run once.
    const names = able.filter(c => c.maxThreads >= threads || i === 0).map(({ name }) => name)
    const ran = await child('race.mjs', { title, id, shape: model.input.shape, multiplyAdds, threads, batches: options.batches, rounds: options.rounds, seconds: options.seconds, longest, names, rates })
    Object.assign(rates, ran.rates)
    cells.push(...ran.cells)
    for (const [name, why] of Object.entries(ran.failed)) if (!missing.some(m => m.name === name)) missing.push({ name, about: contenders.find(c => c.name === name).about, why: reasonOf(why) })
  }
  const cold = []
  for (const { name } of able.filter(c => cells.some(cell => cell.name === c.name && cell.times !== undefined))) {
    const runs = []
    for (let run = 0; run < coldRuns(multiplyAdds); run++) {
      runs.push(await child('cold.mjs', { title, id, shape: model.input.shape, threads: options.threads.at(-1), name }))
    }
    cold.push({ ...Object.fromEntries(Object.keys(runs[0]).map(key => [key, median(runs.map(r => r[key]))])), name })
  }
  const result = { title, multiplyAdds, weightBytes: statSync(weightsFile(id)).size, cells, cold }
  results.push(result)
  progress('')
  const plain = { bold: picocolors.bold, dim: picocolors.dim, green: picocolors.green, red: picocolors.red }
  for (const { head, rows } of [speedTable(result, { engines: contenders }), coldTable(result, { engines: contenders })])
    say(`\n${picocolors.bold(title)}\n${table(head.map((heading, at) => ({ title: heading, align: at === 0 ? 'left' : 'right' })), rows, plain)}`)
  failures.push(...disagreements(result, [contenders[0].name].find(name => options.engines.includes(name))))
}

const { hasRelaxedSimd } = await import('../../dist/src/backends/wasm/kernels/features.js')
const versionAt = path => (existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).version : undefined)
const versionOf = name => versionAt(join(folder, 'peers/node_modules', name, 'package.json')) ?? versionAt(here(`../../node_modules/${name}/package.json`))
const [{ model: cpu }] = os.cpus()
const all = {
  runtime: `Node ${process.versions.node.split('.')[0]}, ${hasRelaxedSimd() ? 'relaxed SIMD' : 'SIMD'}`,
  about: [
    ['machine', `${cpu.trim()}, ${os.availableParallelism()} logical cores, ${Math.round(os.totalmem() / 2 ** 30)} GiB, ${os.type()} ${os.arch()}`],
    ['date', new Date().toISOString().slice(0, 10)],
    ['load before', `${loadBefore.toFixed(1)} processes wanting a core, besides the benchmark`],
    ['versions', [`Node ${process.versions.node}`, ...['vitrail', '@tensorflow/tfjs-core', '@tensorflow/tfjs-backend-wasm', '@tensorflow/tfjs-layers', 'onnxruntime-web', 'onnxruntime-node'].flatMap(name => {
      const version = name === 'vitrail' ? versionAt(here('../../package.json')) : versionOf(name)
      return version === undefined ? [] : [`${name} ${version}`]
    })].join(', ')],
    ['settings', `medians of ${options.rounds} interleaved runs, fewer where a run takes long (at most ${options.seconds} s an engine and cell), after one or two to warm up; first results with ${options.threads.at(-1)} thread(s), for ViT-Ti medians of three processes`],
    ['took', `${Math.round((Date.now() - began) / 60000)} minutes`],
  ],
  engines: contenders.map(({ name, about }) => ({ name, about })),
  summarised: ['onnxruntime-web', 'tfjs-plain', 'tfjs-careful'],
  models: results,
  missing,
}
if (options.json) console.log(JSON.stringify(all, null, 2))
for (const { about, why } of missing) say(`\n${about} did not run: ${why}`)
const page = options.page ?? (options.page === undefined && options.models.length === Object.keys(models).length && options.engines.length === contenders.length ? here('../../docs/benchmarks.md') : false)
if (failures.length > 0) say('\nNo page was written, since outputs differ or were compared with nothing.')
else if (page === false) say('\nNo page was written: not all models and engines were asked for (--page FILE writes one all the same).')
else {
  writeFileSync(page, withSection(readFileSync(existsSync(page) ? page : here('../../docs/benchmarks.md'), 'utf8'), section(all)))
  say('\nThe page is written.')
}
for (const failure of failures) console.error(`bench:peers: ${failure}`)
process.exit(failures.length === 0 ? 0 : 1)
