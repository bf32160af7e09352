// Everyone who runs in the benchmark, in one form: `import` loads an engine, `load` makes a model ready to run, `run`
// takes images `[batch, height, width, 3]` and gives logits. Nothing is imported before it is asked for, so that a
// process of one contender measures that one alone.
import { readFileSync } from 'node:fs'
import { importPeer, onnxFile, readWeights, weightsFile } from './models.mjs'

const valueOf = either => {
  if (either._tag === 'Left') throw new Error(either.left.sentence)
  return either.right
}
const recipeOf = async id => {
  const family = await import(id.startsWith('swin') ? 'vitrail/recipes/swin' : 'vitrail/recipes/vit')
  return (family.swinRecipes ?? family.vitRecipes)[id]
}

/** Vitrail on a backend, its weights read from a file as its readers do. */
const vitrail = (name, about, maxThreads, backendFor) => ({
  name, about, maxThreads, needs: [],
  import: async () => ({ library: await import('vitrail'), backendFor }),
  load: async ({ library: { compile, loadWeights, openSafetensors } }, { id, threads }) => {
    const [{ model }, file] = [await recipeOf(id), valueOf(await openSafetensors(weightsFile(id))())]
    const backend = await backendFor(threads)
    const program = valueOf(await compile(model, { backend, weights: valueOf(loadWeights(file, model)) })())
    await file.close()
    return { run: async images => valueOf(await program.run(images)()), close: async () => { program.dispose(); await backend.close?.() } }
  },
})

/** TensorFlow.js on its wasm backend, the model written by hand in a style. Node gives that backend one thread. */
const tfjs = (name, about, style) => ({
  name, about, maxThreads: 1, needs: [],
  import: async () => {
    const tf = await import('@tensorflow/tfjs-core')
    await import('@tensorflow/tfjs-backend-wasm')
    if (!(await tf.setBackend('wasm'))) throw new Error('the wasm backend of tfjs does not start')
    return tf
  },
  load: async (tf, { id }) => {
    const styled = (await import(`./tfjs/${style}.mjs`))[style]
    const make = id.startsWith('swin') ? (await import('./tfjs/swin.mjs')).swin : (await import('./tfjs/vit.mjs')).vit
    const [{ config, model }, weights] = [await recipeOf(id), readWeights(id)]
    return asRun(tf, make(tf, styled, weights, config), model.input.shape)
  },
})

const asRun = (tf, forward, shape) => ({
  run: async images => {
    const x = tf.tensor(images, [images.length / shape.reduce((a, b) => a * b), ...shape])
    const y = forward(x)
    const values = await y.data()
    tf.dispose([x, y])
    return values
  },
  close: async () => {},
})

/** ONNX Runtime; the images come to it channels first, as PyTorch's models take them, before the clock starts. */
const onnxruntime = (name, about, options) => ({
  name, about, maxThreads: Infinity, needs: [name, 'protobufjs'],
  import: async () => importPeer(name),
  load: async (ort, { id, threads }) => {
    if (name === 'onnxruntime-web') ort.env.wasm.numThreads = threads
    const session = await ort.InferenceSession.create(name === 'onnxruntime-web' ? readFileSync(onnxFile(id)) : onnxFile(id), { graphOptimizationLevel: 'all', logSeverityLevel: 3, ...options(threads) })
    return { feed: images => channelsFirst(ort, images, (id.match(/_(\d+)$/) ?? [])[1]), run: async x => (await session.run({ x })).y.data, close: async () => session.release() }
  },
})

const channelsFirst = (ort, images, size) => {
  const pixels = size ** 2
  const batch = images.length / pixels / 3
  const moved = new Float32Array(images.length)
  for (let b = 0; b < batch; b++) for (let p = 0; p < pixels; p++) for (let c = 0; c < 3; c++) moved[(b * 3 + c) * pixels + p] = images[(b * pixels + p) * 3 + c]
  return new ort.Tensor('float32', moved, [batch, 3, Number(size), Number(size)])
}

const all = [
  vitrail('vitrail-wasm', 'Vitrail, wasm', Infinity, async threads => (await import('vitrail/backends/wasm')).wasmWith({ threads })),
  onnxruntime('onnxruntime-web', 'onnxruntime-web', () => ({ executionProviders: ['wasm'] })),
  tfjs('tfjs-plain', 'tfjs, as written', 'plain'),
  tfjs('tfjs-careful', 'tfjs, careful', 'careful'),
  {
    ...tfjs('tfjs-layers', 'tfjs-layers', 'plain'),
    needs: ['@tensorflow/tfjs-layers', '@tensorflow/tfjs-core'],
    cannot: id => (id.startsWith('vit') ? undefined : 'it has no layers for windows'),
    import: async () => {
      const [tf, layers] = [await importPeer('@tensorflow/tfjs-core'), await importPeer('@tensorflow/tfjs-layers')]
      // All copies of tfjs share one engine, so that one registers the backend for all.
      await import('@tensorflow/tfjs-backend-wasm')
      if (!(await tf.setBackend('wasm'))) throw new Error('the wasm backend of tfjs does not start')
      return { tf, layers }
    },
    load: async ({ tf, layers }, { id }) => {
      const { layersVit } = await import('./tfjs/layers.mjs')
      const { config, model } = await recipeOf(id)
      return asRun(tf, layersVit(tf, layers, readWeights(id), config), model.input.shape)
    },
  },
  // Plain JavaScript takes minutes for what others do in seconds.
  { ...vitrail('vitrail-cpu', 'Vitrail, cpu', 1, async () => (await import('vitrail/backends/cpu')).cpu), longest: 15 },
  vitrail('vitrail-node', 'Vitrail, native', Infinity, async () => (await import('vitrail/backends/node')).node),
  onnxruntime('onnxruntime-node', 'onnxruntime-node', threads => ({ executionProviders: ['cpu'], intraOpNumThreads: threads, interOpNumThreads: 1 })),
]

/** Those whose ratio is the point of it: they run often, however long they take. */
const main = ['vitrail-wasm', 'onnxruntime-web', 'onnxruntime-node']

/** In the order of the tables; the first is what the others are compared with. */
export const contenders = all.map(c => ({ ...c, isMain: main.includes(c.name) }))
