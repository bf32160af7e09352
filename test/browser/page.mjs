// What the page runs: the demo model on wasm, in a browser, on what it is sent; it posts back what it saw.
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import { compile, loadWeights, parseSafetensors } from 'vitrail'
import { wasm } from 'vitrail/backends/wasm'
import { recipes } from 'vitrail/recipes'

const valueOf = either => {
  if (either._tag === 'Left') throw new Error(either.left.sentence)
  return either.right
}

const post = body => fetch('/result', { method: 'POST', body: JSON.stringify(body) })
try {
  setWasmPaths('/wasm/')
  const { model } = recipes.vit_fashion_mnist
  const file = valueOf(parseSafetensors(new Uint8Array(await (await fetch('/weights')).arrayBuffer())))
  const program = valueOf(await compile(model, { backend: wasm, weights: valueOf(loadWeights(file, model)) })())
  const images = new Float32Array(await (await fetch('/images')).arrayBuffer())
  const logits = valueOf(await program.run(images)())
  await post({ logits: [...logits] })
} catch (fault) {
  await post({ fault: String(fault) })
}
