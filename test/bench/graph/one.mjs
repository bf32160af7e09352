// Child process of `npm run bench:graph`: one model, from recipe to plan, the first time in a process and then warm;
// or what its buffers take on the wasm backend when it runs.
import { activationBytes } from '../../../dist/src/graph/cost.js'
import { trace } from '../../../dist/src/graph/trace.js'
import { compile } from '../../../dist/src/backends/compile.js'
import { planBytes } from '../../../dist/src/backends/planBytes.js'
import { plannedOn } from '../../../dist/src/backends/planned.js'
import { prepare } from '../../../dist/src/backends/prepare.js'
import { wasmWith } from '../../../dist/src/backends/wasm/index.js'

const [what, name] = process.argv.slice(2)
const valueOf = either => {
  if (either._tag === 'Left') throw new Error(either.left.sentence)
  return either.right
}

/** The published models, and ViT-Ti sixteen times as deep. */
const modelOf = async () => {
  if (name.startsWith('swin')) return (await import('../../../dist/recipes/swin.js')).swinRecipes[name].model
  const { vitRecipe, vitRecipes } = await import('../../../dist/recipes/vit.js')
  return name === '200-layers' ? vitRecipe({ imageSize: 224, patchSize: 16, dim: 192, depth: 200, numHeads: 3 }).model : vitRecipes[name].model
}

const planned = (device, model) => {
  const began = performance.now()
  const graph = valueOf(trace(model))
  const traced = performance.now()
  const prepared = valueOf(prepare({ forward: { inputs: graph.inputs, outputs: { output: graph.output } } }))
  const routine = prepared.routines.get('forward')
  const optimised = performance.now()
  const steps = valueOf(plannedOn(device, routine, 1))
  const ended = performance.now()
  return { kept: { graph, prepared, routine, steps }, traceMs: traced - began, passesMs: optimised - traced, planMs: ended - optimised, totalMs: ended - began }
}

const model = await modelOf()
const backend = wasmWith({ threads: 1 })
const device = valueOf(await backend.open())
if (what === 'time') {
  globalThis.gc()
  const before = process.memoryUsage().heapUsed
  const { kept, ...cold } = planned(device, model)
  globalThis.gc()
  const bytes = process.memoryUsage().heapUsed - before
  for (let i = 0; i < 4; i++) planned(device, model)
  process.send({ ...cold, warmMs: planned(device, model).totalMs, bytes, nodes: kept.graph.nodes.length, steps: kept.steps.steps.length }, () => process.exit(0))
} else {
  // What the device holds after each kernel, scratch of the kernels included.
  let most = 0
  const looking = { name: backend.name, open: async () => ({ _tag: 'Right', right: {
    ...device,
    kernel: (node, batch) => {
      const made = device.kernel(node, batch)
      if (made._tag === 'Left') return made
      const run = (inputs, spare) => {
        const result = made.right.run(inputs, spare)
        most = Math.max(most, device.held().bytes.live)
        return result
      }
      return { ...made, right: { ...made.right, run } }
    },
  } }) }
  const weights = (_, shape) => async () => ({ _tag: 'Right', right: new Float32Array(shape.reduce((a, b) => a * b, 1)) })
  const program = valueOf(await compile(model, { backend: looking, weights })())
  const images = new Float32Array(model.input.shape.reduce((a, b) => a * b))
  const loaded = device.held().bytes.live
  most = 0
  valueOf(await program.run(images)())
  const { prepared, routine, steps } = planned(device, model).kept
  const [output] = routine.kept
  process.send({ held: most - loaded, planned: planBytes(prepared, steps, 0).peak, needed: activationBytes({ nodes: routine.each, output }), loaded }, () => process.exit(0))
}
