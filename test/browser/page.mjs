// What the page runs: a small ViT on both wasm backends, in a browser, on what it is sent; it posts back what it saw.
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { env } from '@tensorflow/tfjs-core'
import { compile, loadWeights, parseSafetensors } from 'vitrail'
import { tfjsWasm } from 'vitrail/backends/tfjs-wasm'
import { wasmWith } from 'vitrail/backends/wasm'
import { recipes } from 'vitrail/recipes'
import { hasRelaxedSimd } from '../../dist/src/backends/wasm/kernels/features.js'

const valueOf = either => {
  if (either._tag === 'Left') throw new Error(either.left.sentence)
  return either.right
}

const post = body => fetch('/result', { method: 'POST', body: JSON.stringify(body) })
try {
  setWasmPaths('/wasm/')
  // Minified, the threads of tfjs's own module hang the page.
  env().set('WASM_HAS_MULTITHREAD_SUPPORT', false)
  const { model } = recipes.vit_fashion_mnist
  const file = valueOf(parseSafetensors(new Uint8Array(await (await fetch('/weights')).arrayBuffer())))
  const images = new Float32Array(await (await fetch('/images')).arrayBuffer())
  // What a worker of ours is given says how many have begun to work.
  const crews = new Set()
  globalThis.Worker = class extends Worker {
    postMessage(data, ...more) {
      crews.add(data)
      super.postMessage(data, ...more)
    }
  }
  const results = {}
  for (const [name, backend] of Object.entries({ 'one thread': wasmWith({ threads: 1 }), 'three threads': wasmWith({ threads: 3 }), 'plain SIMD': wasmWith({ threads: 1, relaxedSimd: false }), tfjs: tfjsWasm })) {
    const program = valueOf(await compile(model, { backend, weights: valueOf(loadWeights(file, model)) })())
    for (let run = 0; run < 20; run++) {
      results[name] = [...valueOf(await program.run(images)())]
      await new Promise(resolve => setTimeout(resolve, 10)) // workers start between runs
    }
  }
  const told = [...crews].map(({ control, at }) => [at.ready, at.epoch].map(place => new Int32Array(control, 0, at.operands / 4)[place]))
  const [working, jobs] = [0, 1].map(i => Math.max(0, ...told.map(numbers => numbers[i])))
  await post({ results, workers: crews.size, working, jobs, isolated: globalThis.crossOriginIsolated, relaxedSimd: hasRelaxedSimd() })
} catch (fault) {
  await post({ fault: String(fault) })
}
