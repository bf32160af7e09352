// One training step (forward, backward, Adam) on wasm: Vitrail against tf.variableGrads on plain tfjs, and against PyTorch
// where python3 has it. All begin with the same weights and see the same batch; steps are interleaved in one
// process (PyTorch in one of its own), losses compared, so that nobody is fast and wrong.
//
// npm run bench:train -- --help
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import * as tf from '@tensorflow/tfjs-core'
import { createJiti } from 'jiti'
import { initialWeights, openSession, optimisers, losses } from 'vitrail'
import { wasmWith } from 'vitrail/backends/wasm'
import { vitRecipe } from 'vitrail/recipes/vit'
import { trainingRoutines } from 'vitrail/training'
import { bundledGradients } from '../conformance/gradients.mjs'
import { plainTraining } from './training/plainTraining.mjs'

const rate = 1e-3
/** Losses further apart are not those of the same training. */
const tolerance = 5e-3
const models = {
  vit_tiny_32: { imageSize: 32, channels: 3, patchSize: 4, dim: 192, depth: 12, numHeads: 3, mlpRatio: 4, numClasses: 10 },
  vit_fashion_mnist: { imageSize: 28, channels: 1, patchSize: 4, dim: 64, depth: 6, numHeads: 4, mlpRatio: 2, numClasses: 10 },
}

const jiti = createJiti(import.meta.url)
const { trainingOptions } = await jiti.import('./training/trainingOptions.ts')
const { lossesApart, lossesSentence, stepRows, trainingSection } = await jiti.import('./training/trainingSection.ts')
const { withSection } = await jiti.import('./page.ts')
const here = path => fileURLToPath(new URL(path, import.meta.url))

const valueOf = either => {
  if (either._tag === 'Left') throw new Error(either.left.sentence)
  return either.right
}
const sizeOf = shape => shape.reduce((a, b) => a * b, 1)

const batchOf = ({ imageSize, channels, numClasses }, size) => ({
  x: Float32Array.from({ length: size * imageSize * imageSize * channels }, (_, i) => Math.sin(i * 0.37)),
  y: Int32Array.from({ length: size }, (_, i) => (i * 7) % numClasses),
})

const ours = async (config, threads) => {
  const model = vitRecipe(config).model
  const weights = valueOf(initialWeights(model, 1))
  const made = valueOf(trainingRoutines(model, { loss: losses.crossEntropy, optimiser: optimisers.adam({ epsilon: 1e-7 }) }))
  const backend = wasmWith({ threads })
  const state = made.state.map(({ tensor: { attributes, shape } }) => [attributes.name, new Float32Array(sizeOf(shape))])
  const session = valueOf(await openSession(made.routines, { backend, weights: new Map([...weights, ...state, ['@rate', Float32Array.of(rate)], ['@step', Float32Array.of(0)]]), variables: made.variables })())
  let count = 0
  const step = async ({ x, y }) => {
    valueOf(await session.write(new Map([['@step', Float32Array.of(++count)]]))())
    return valueOf(await session.run('train', { x, y })()).loss[0]
  }
  const shapes = new Map(made.parameters.map(({ attributes, shape }) => [attributes.name, shape]))
  return { backend, session, step, weights, shapes, close: async () => (session.dispose(), backend.close()) }
}

const torch = async (config, threads, batch, weights, shapes, folder) => {
  const tensors = [...weights].map(([name, values]) => [name, shapes.get(name), 'float32', values])
  const { imageSize, channels } = config
  tensors.push(['@x', [batch.y.length, imageSize, imageSize, channels], 'float32', batch.x], ['@y', [batch.y.length], 'int32', batch.y])
  const file = join(folder, `step-${threads}-${batch.y.length}`)
  const head = JSON.stringify({ config, rate, threads, tensors: tensors.map(([name, shape, kind]) => [name, shape, kind]) })
  writeFileSync(file, Buffer.concat([Buffer.from(`${head}\n`), ...tensors.map(([, , , values]) => Buffer.from(values.buffer, values.byteOffset, values.byteLength))]))
  const child = spawn('python3', [here('training/torchTraining.py'), file], { stdio: ['pipe', 'pipe', 'ignore'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  child.on('error', () => undefined)
  if ((await lines.next()).value !== 'ready') return undefined
  return {
    step: async () => {
      child.stdin.write('\n')
      const { ms, loss } = JSON.parse((await lines.next()).value)
      return { ms, loss }
    },
    close: () => child.stdin.end(),
  }
}

/** What a step holds at a batch size, in this process: run it in one of its own. */
const held = async (config, size) => {
  const { backend, session, step, close } = await ours(config, 1)
  const batch = batchOf(config, size)
  for (let i = 0; i < 3; i++) await step(batch)
  const { right: device } = await backend.open()
  const { peak } = valueOf(session.bytes('train', size))
  const { bytes } = device.held()
  await close()
  return { resident: process.resourceUsage().maxRSS * 1024, heap: bytes.peak, reserved: bytes.reserved, live: peak }
}

// A child process: `held MODEL BATCH`.
if (process.argv[2] === 'held') {
  console.log(JSON.stringify(await held(models[process.argv[3]], Number(process.argv[4]))))
  process.exit(0)
}

const read = trainingOptions(process.argv.slice(2), Object.keys(models))
if (read._tag === 'Left') {
  console[read.left.code === 0 ? 'log' : 'error'](read.left.text)
  process.exit(read.left.code)
}
const options = read.right
const say = text => options.json || console.log(text)
const [began, loadBefore] = [Date.now(), os.loadavg()[0]]

/** Steps of all engines in turn; the first of each warms it up. */
const race = async (name, size, folder) => {
  const config = models[name]
  const batch = batchOf(config, size)
  const ways = []
  for (const threads of options.threads) {
    const own = await ours(config, threads)
    ways.push({ name: 'Vitrail', threads, rounds: options.rounds, step: () => own.step(batch), close: own.close, own })
  }
  const { weights, shapes } = ways[0].own
  for (const threads of options.threads) {
    const other = await torch(config, threads, batch, weights, shapes, folder)
    if (other !== undefined) ways.push({ name: 'PyTorch', threads, rounds: options.rounds, ...other })
  }
  if (options.plain > 0) {
    const step = plainTraining(weights, shapes, config, rate)
    ways.push({ name: 'plain tfjs', threads: 1, rounds: options.plain, step: () => step(batch.x, batch.y), close: () => tf.disposeVariables() })
  }
  const taken = ways.map(({ name: way, threads }) => ({ name: way, threads, times: [], losses: [] }))
  for (let round = 0; round <= Math.max(options.rounds, options.plain); round++)
    for (const [i, { rounds, step }] of ways.entries()) {
      if (round > rounds) continue
      const start = performance.now()
      const given = await step()
      const { ms, loss } = typeof given === 'number' ? { ms: performance.now() - start, loss: given } : given
      taken[i].losses.push(loss)
      if (round > 0) taken[i].times.push(ms)
    }
  for (const { close } of ways) await close()
  return { model: name, batch: size, ways: taken }
}

const [steps, memory] = [[], []]
const folder = mkdtempSync(join(os.tmpdir(), 'vitrail-bench-'))
try {
  if (options.plain > 0) {
    await import('@tensorflow/tfjs-backend-wasm')
    await import(await bundledGradients())
    await tf.setBackend('wasm')
  }
  for (const name of options.models)
    for (const size of options.batches) {
      const some = await race(name, size, folder)
      steps.push(some)
      say(`${name}, ${size} images a step. ${lossesSentence(some)}`)
      for (const [way, ms, least, ratios, count] of stepRows(some)) say(`  ${way.padEnd(24)} ${ms.padStart(7)} ms, least ${least.padStart(7)}, of ${count.padStart(2)}; times ours: ${ratios}`)
    }
  if (options.memory > 0)
    for (const name of options.models) {
      const child = spawnSync(process.execPath, [...process.execArgv, here('training.mjs'), 'held', name, String(options.memory)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
      if (child.status !== 0) throw new Error(`bench:train: the process that measures the memory of ${name} ended with ${child.status ?? child.signal}`)
      const found = { model: name, batch: options.memory, ...JSON.parse(child.stdout) }
      memory.push(found)
      const mb = bytes => `${(bytes / 1e6).toFixed(0)} MB`
      say(`${name}, ${options.memory} images a step: resident at its peak ${mb(found.resident)}; heap ${mb(found.heap)}, ${(found.heap / found.live).toFixed(3)} of the ${mb(found.live)} that live at one time (it reaches ${mb(found.reserved)})`)
    }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

const { hasRelaxedSimd } = await import('../../dist/src/backends/wasm/kernels/features.js')
const versionOf = path => JSON.parse(readFileSync(here(path), 'utf8')).version
const results = {
  runtime: `Node ${process.versions.node.split('.')[0]}, ${hasRelaxedSimd() ? 'relaxed SIMD' : 'SIMD'}`,
  about: [
    ['machine', `${os.cpus()[0].model.trim()}, ${os.availableParallelism()} logical cores, ${Math.round(os.totalmem() / 2 ** 30)} GiB, ${os.type()} ${os.arch()}`],
    ['date', new Date().toISOString().slice(0, 10)],
    ['load before', `${loadBefore.toFixed(1)} processes wanting a core, besides the benchmark`],
    ['versions', `Node ${process.versions.node}, vitrail ${versionOf('../../package.json')}, @tensorflow/tfjs-backend-wasm ${versionOf('../../node_modules/@tensorflow/tfjs-backend-wasm/package.json')}`],
    ['settings', `medians of ${options.rounds} interleaved steps, of ${options.plain} for plain tfjs, after one to warm up`],
    ['took', `${Math.round((Date.now() - began) / 60000)} minutes`],
  ],
  steps,
  memory,
}
if (options.json) console.log(JSON.stringify(results, undefined, 2))
const page = options.page ?? (options.page === undefined && options.models.length === Object.keys(models).length && options.plain > 0 ? here('../../docs/benchmarks.md') : false)
const wrong = steps.filter(some => !(lossesApart(some) < tolerance))
if (wrong.length > 0) say('No page was written, since losses differ.')
else if (page === false) say('No page was written: not all was asked for (--page FILE writes one all the same).')
else {
  writeFileSync(page, withSection(readFileSync(existsSync(page) ? page : here('../../docs/benchmarks.md'), 'utf8'), trainingSection(results)))
  say(`Wrote ${page}`)
}
for (const some of wrong) console.error(`bench:train: the losses of ${some.model} are ${lossesApart(some)} apart: one of them is wrong`)
process.exit(wrong.length === 0 ? 0 : 1)
