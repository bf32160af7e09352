// Bundles the library with Vite, runs a small ViT on both wasm backends in headless Chromium, and compares with Node: in a
// page that may share memory with its workers, and in one that may not. Then models and ops on those of tfjs's GPU backends
// that are installed, in software, against the reference.
// Usage: npm run test:browser   (needs `chromium` on the path, or CHROMIUM=/path/to/it)
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compile, loadWeights, parseSafetensors } from 'vitrail'
import { reference } from 'vitrail/backends/reference'
import { recipes } from 'vitrail/recipes'
import { build } from 'vite'

const root = fileURLToPath(new URL('../../', import.meta.url))
const valueOf = either => {
  if (either._tag === 'Left') throw new Error(either.left.sentence)
  return either.right
}
const images = Float32Array.from({ length: 4 * 28 * 28 }, (_, i) => Math.sin(i / 7) + Math.cos(i / 31))
const weights = await readFile(join(root, 'recipes/weights/vit_fashion_mnist.safetensors'))
const { model } = recipes.vit_fashion_mnist
const program = valueOf(await compile(model, { backend: reference, weights: valueOf(loadWeights(valueOf(parseSafetensors(weights)), model)) })())
const expected = valueOf(await program.run(images)())

const isInstalled = name => {
  try {
    return import.meta.resolve(`@tensorflow/tfjs-backend-${name}`) !== ''
  } catch {
    return false
  }
}

const scratch = await mkdtemp(join(tmpdir(), 'vitrail-browser-'))
/** A page's script and all that it imports, as `/out/NAME/page.js`. */
const bundle = (name, entry) => build({
  root,
  configFile: false,
  logLevel: 'error',
  build: { outDir: join(scratch, 'out', name), emptyOutDir: true, target: 'esnext', lib: { entry, formats: ['es'], fileName: () => 'page.js' }, rollupOptions: { external: [/^node:/] } },
})
await bundle('wasm', join(root, 'test/browser/page.mjs'))
/** tfjs's backends on a GPU that are installed here, and the most programs that one forward pass of that ViT may take. */
const gpus = [{ name: 'webgl', most: 170, flags: ['--enable-unsafe-swiftshader'] }, { name: 'webgpu', most: 280, flags: ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-unsafe-swiftshader'] }].filter(({ name }) => isInstalled(name))
for (const { name } of gpus) {
  const entry = join(root, `test/browser/.${name}.mjs`)
  await writeFile(entry, `import '@tensorflow/tfjs-backend-${name}'\n${await readFile(join(root, 'test/browser/gpu.mjs'), 'utf8')}`)
  await bundle(name, entry).finally(() => rm(entry))
}

const wasmFolder = join(root, 'node_modules/@tensorflow/tfjs-backend-wasm/dist')
let received
let isolated
const types = { js: 'text/javascript', wasm: 'application/wasm', html: 'text/html' }
const server = createServer(async (request, response) => {
  const alone = isolated ? { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' } : {}
  const send = (body, type) => response.writeHead(200, { 'content-type': type, ...alone }).end(body)
  const path = new URL(request.url, 'http://localhost').pathname
  try {
    if (path === '/result') {
      const parts = []
      for await (const part of request) parts.push(part)
      response.end()
      return received(JSON.parse(Buffer.concat(parts).toString()))
    }
    if (path.startsWith('/page/')) return send(`<!doctype html><script type="module" src="/out/${path.slice(6)}/page.js"></script>`, types.html)
    if (path === '/weights') return send(weights, 'application/octet-stream')
    if (path === '/images') return send(Buffer.from(images.buffer), 'application/octet-stream')
    if (path.startsWith('/wasm/')) return send(await readFile(join(wasmFolder, path.slice(6).replaceAll('/', ''))), types.wasm)
    if (path.startsWith('/out/')) return send(await readFile(join(scratch, 'out', ...path.slice(5).split('/').filter(part => part !== '..'))), types.js)
    response.writeHead(404).end()
  } catch {
    response.writeHead(404).end()
  }
})
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))

const visit = async (page, flags, seconds = 60) => {
  const result = new Promise(resolve => (received = resolve))
  const browser = spawn(process.env.CHROMIUM ?? 'chromium', [
    '--headless', '--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', ...flags,
    `--user-data-dir=${await mkdtemp(join(scratch, 'profile-'))}`, `http://127.0.0.1:${server.address().port}/page/${page}?backend=${page}`,
  ], { stdio: 'ignore' })
  const tooLong = setTimeout(() => received({ fault: `the page did not answer within ${seconds} seconds` }), seconds * 1000)
  browser.on('error', fault => received({ fault: `chromium does not start: ${fault.message}` }))
  const told = await result
  clearTimeout(tooLong)
  browser.kill('SIGKILL')
  return told
}

let good = true
for (isolated of [true, false]) {
  const told = await visit('wasm', ['--disable-gpu'])
  const page = isolated ? 'an isolated page' : 'an ordinary page'
  if (told.fault !== undefined) {
    console.log(`${page}: failed: ${told.fault}`)
    good = false
    continue
  }
  for (const [name, logits] of Object.entries(told.results)) {
    const worst = expected.reduce((most, x, i) => Math.max(most, Math.abs(x - logits[i])), 0)
    console.log(`${page}, ${name}: largest difference from reference in Node ${worst.toExponential(1)}`)
    good &&= worst < 2e-5
  }
  const same = (a, b) => told.results[a].every((x, i) => x === told.results[b][i])
  const [sameBits, sameSimd] = [same('one thread', 'three threads'), same('one thread', 'plain SIMD')]
  console.log(`${page}: ${told.working} of ${told.workers} workers began, for ${told.jobs} jobs; threads give ${sameBits ? 'the same bits' : 'OTHER BITS'}; relaxed SIMD is ${told.relaxedSimd ? 'there' : 'not there'}`)
  // Where memory may be shared two workers help the calling thread; where not, none is asked for. Fused multiply-add rounds once, so its bits differ.
  good &&= sameBits && told.isolated === isolated && (isolated ? told.workers === 2 && told.working === 2 && told.jobs > 0 : told.workers === 0) && sameSimd !== told.relaxedSimd
}
isolated = false
for (const { name, flags, most } of gpus) {
  const told = await visit(name, flags, 300)
  if (told.fault !== undefined) {
    console.log(`${name}: failed: ${told.fault}`)
    good = false
    continue
  }
  const [worst, where] = Object.entries(told.apart).reduce((most, [title, apart]) => (apart > most[0] ? [apart, title] : most), [0, ''])
  console.log(`${name}: ${Object.keys(told.apart).length} models and ops, largest difference from reference ${worst.toExponential(1)} (${where}); ViT ${told.apart.ViT.toExponential(1)} in ${told.programs} programs, Swin ${told.apart.Swin.toExponential(1)}`)
  good &&= worst < 1e-4 && told.programs <= most && told.leaked === 0
}
if (gpus.length === 0) console.log('webgl, webgpu: not checked, because neither @tensorflow/tfjs-backend-webgl nor -webgpu is installed')
server.close()
await rm(scratch, { recursive: true, force: true, maxRetries: 5 }).catch(() => {})
process.exit(good ? 0 : 1)
