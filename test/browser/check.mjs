// Bundles the library with Vite, runs the demo model on both wasm backends in headless Chromium, and compares with Node: in a
// page that may share memory with its workers, and in one that may not.
// Usage: npm run test:browser   (needs `chromium` on the path, or CHROMIUM=/path/to/it)
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
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

const scratch = await mkdtemp(join(tmpdir(), 'vitrail-browser-'))
await build({
  root,
  configFile: false,
  logLevel: 'error',
  build: { outDir: join(scratch, 'out'), emptyOutDir: true, target: 'esnext', lib: { entry: join(root, 'test/browser/page.mjs'), formats: ['es'], fileName: () => 'page.js' }, rollupOptions: { external: [/^node:/] } },
})

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
    if (path === '/') return send('<!doctype html><script type="module" src="/out/page.js"></script>', types.html)
    if (path === '/weights') return send(weights, 'application/octet-stream')
    if (path === '/images') return send(Buffer.from(images.buffer), 'application/octet-stream')
    if (path.startsWith('/wasm/')) return send(await readFile(join(wasmFolder, path.slice(6).replaceAll('/', ''))), types.wasm)
    if (path.startsWith('/out/')) return send(await readFile(join(scratch, 'out', path.slice(5).replaceAll('/', ''))), types.js)
    response.writeHead(404).end()
  } catch {
    response.writeHead(404).end()
  }
})
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))

const visit = async () => {
  const result = new Promise(resolve => (received = resolve))
  const browser = spawn(process.env.CHROMIUM ?? 'chromium', [
    '--headless', '--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-gpu',
    `--user-data-dir=${join(scratch, `profile-${isolated}`)}`, `http://127.0.0.1:${server.address().port}/`,
  ], { stdio: 'ignore' })
  const tooLong = setTimeout(() => received({ fault: 'the page did not answer within 60 seconds' }), 60_000)
  browser.on('error', fault => received({ fault: `chromium does not start: ${fault.message}` }))
  const told = await result
  clearTimeout(tooLong)
  browser.kill('SIGKILL')
  return told
}

let good = true
for (isolated of [true, false]) {
  const told = await visit()
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
  const sameBits = told.results['one thread'].every((x, i) => x === told.results['three threads'][i])
  console.log(`${page}: ${told.workers} workers; threads give ${sameBits ? 'the same bits' : 'OTHER BITS'}`)
  good &&= sameBits && told.isolated === isolated && told.workers >= (isolated ? 2 : 0) && (isolated || told.workers === 0)
}
server.close()
await rm(scratch, { recursive: true, force: true, maxRetries: 5 }).catch(() => {})
process.exit(good ? 0 : 1)
