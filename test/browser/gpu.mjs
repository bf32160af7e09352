// What the page runs of a GPU backend of tfjs, by name in its address: a ViT, a Swin and ops of odd sizes with their
// gradients, on it and on the reference; it posts back how far apart they are, and how many programs the ViT took.
import * as tf from '@tensorflow/tfjs-core'
import { pipe } from 'fp-ts/lib/function.js'
import { compile, gradient, initialWeights, input, openSession, ops } from 'vitrail'
import { reference } from 'vitrail/backends/reference'
import { tfjsBackend } from 'vitrail/backends/tfjs'
import { recipes } from 'vitrail/recipes'
import { swin } from 'vitrail/recipes/swin'

const valueOf = either => {
  if (either._tag === 'Left') throw new Error(either.left.sentence)
  return either.right
}
const wave = (count, seed) => Float32Array.from({ length: count }, (_, i) => Math.sin(1.7 * i + seed) + Math.cos(0.61 * i - seed))
/** The largest difference, as a share of the largest value where that is above one. */
const furthest = (a, b) => a.reduce((most, x, i) => Math.max(most, Math.abs(x - b[i])), 0) / a.reduce((most, x) => Math.max(most, Math.abs(x)), 1)
const post = body => fetch('/result', { method: 'POST', body: JSON.stringify(body) })

/** Two axes with an odd number of rows and columns, and everything that has a program of ours, alone and in a row. */
const oddOps = () => {
  const [x, y] = [ops.input('x', [3, 5, 7]), ops.input('y', [5, 1])]
  const [gamma, beta, map] = [ops.parameter('gamma', [7], { kind: 'ones' }), ops.parameter('beta', [7], { kind: 'zeros' }), ops.parameter('map', [9, 7], { kind: 'zeros' })]
  const positive = ops.exp(ops.multiply(x, y))
  const made = {
    norm: ops.layerNorm(x, 1e-5, { gamma, beta }), bare: ops.layerNorm(x, 1e-5), softmax: ops.softmax(x), ...Object.fromEntries(['erf', 'tanh', 'quick'].map(form => [form, ops.gelu(x, form)])),
    row: ops.divide(ops.subtract(ops.maximum(ops.tanh(x), y), ops.minimum(ops.sigmoid(x), beta)), ops.add(ops.sqrt(positive), ops.exp(ops.log(positive)))), steps: ops.step(ops.relu(ops.add(x, y))), power: ops.power(ops.add(positive, ops.scalar(1)), -2),
    product: ops.matmul(ops.softmax(ops.matmul(x, x, { transposeB: true })), x), attention: ops.attention(...[1, 2, 3].map(n => ops.linear(ops.reshape(ops.concat([x, x], 2), [3, 5, 14]), ops.constant(wave(8 * 14, n), [8, 14]))), { numHeads: 2, scale: 0.4 }),
    mapped: ops.gelu(ops.linear(x, map), 'erf'), spread: ops.broadcast(ops.reshape(x, [1, 3, 1, 5, 7]), [2, 3, 4, 5, 7]), sum: ops.sum(x, [0, 2]), turned: ops.transpose(ops.slice(x, [1, 0, 2], [2, 5, 5]), [2, 0, 1]), rows: ops.gather(x, ops.constant(Int32Array.of(2, 0, 2), [3])),
  }
  const loss = ops.batchMean(Object.values(made).map(t => ops.sum(ops.multiply(t, t), t.shape.map((_, axis) => axis))).reduce((a, b) => ops.add(a, b)))
  const slopes = gradient(loss, [x, y, gamma, beta, map]).of
  return { inputs: { x, y }, outputs: { ...made, ...Object.fromEntries([...slopes].map(([t, slope], i) => [`slope${i} of ${t.op}`, slope])) } }
}

try {
  const name = new URL(location.href).searchParams.get('backend')
  const backend = tfjsBackend(name)
  const apart = {}
  const routine = oddOps()
  const weights = new Map([['gamma', wave(7, 3)], ['beta', wave(7, 4)], ['map', wave(63, 5)]])
  const [here, there] = await Promise.all([backend, reference].map(async on => valueOf(await valueOf(await openSession({ all: routine }, { backend: on, weights })()).run('all', { x: wave(3 * 105, 1), y: wave(3 * 5, 2) })())))
  for (const key of Object.keys(there)) apart[key] = furthest(there[key], here[key])

  const engine = tf.engine().findBackend(name)
  let launches = 0
  const method = ['runWebGLProgram', 'runWebGPUProgram'].find(known => known in engine)
  const original = engine[method].bind(engine)
  engine[method] = (...given) => (launches++, original(...given))
  const models = { ViT: recipes.vit_fashion_mnist.model, Swin: pipe(input(28, 28, 3), swin({ patchSize: [2, 2], dim: 24, depths: [2, 2], numHeads: [2, 4], windowSize: [7, 7], numClasses: 10 })) }
  let leaked = 0
  let programs
  for (const [title, model] of Object.entries(models)) {
    const made = valueOf(initialWeights(model, 1))
    const [program, truth] = [valueOf(await compile(model, { backend, weights: made })()), valueOf(await compile(model, { backend: reference, weights: made })())]
    const images = wave(2 * model.input.shape.reduce((a, b) => a * b), 6)
    apart[title] = furthest(valueOf(await truth.run(images)()), valueOf(await program.run(images)()))
    // The second run uploads no weights.
    const [held, before] = [engine.numDataIds(), launches]
    valueOf(await program.run(images)())
    programs ??= launches - before
    leaked += engine.numDataIds() - held
  }
  await post({ apart, programs, leaked })
} catch (fault) {
  await post({ fault: fault.stack ?? String(fault) })
}
