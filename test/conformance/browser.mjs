import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const require = createRequire(import.meta.url)
const here = import.meta.dirname
const core = dirname(require.resolve('@tensorflow/tfjs-core/package.json'))

/** Software stands in for graphics hardware, so that results do not depend on the machine. */
const flags = {
  webgl: ['--use-angle=swiftshader', '--enable-unsafe-swiftshader'],
  webgpu: ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--enable-unsafe-swiftshader'],
}

/** The page as one script, or undefined where the backend's package is neither here nor in the folder this is run from. */
const bundled = async (backend, scratch) => {
  let folder
  try {
    folder = dirname(require.resolve(`@tensorflow/tfjs-backend-${backend}/package.json`, { paths: [here, process.cwd()] }))
  } catch {
    return undefined
  }
  // Whatever is bundled gets the same tfjs-core: the one tested here.
  const alias = [{ find: 'the-backend', replacement: join(folder, 'dist', 'index.js') }, { find: /^@tensorflow\/tfjs-core$/, replacement: join(core, 'dist', 'index.js') }, { find: /^@tensorflow\/tfjs-core\/dist\//, replacement: `${join(core, 'dist')}/` }]
  await build({ root: fileURLToPath(new URL('../../', import.meta.url)), configFile: false, logLevel: 'error', resolve: { alias }, build: { outDir: scratch, target: 'esnext', minify: false, lib: { entry: join(here, 'page.mjs'), formats: ['es'], fileName: () => 'page.js' } } })
  return readFile(join(scratch, 'page.js'))
}

/** One page over some subjects: those it finished, and whether the backend started at all. */
const pass = (backend, script, count, names) =>
  new Promise(resolve => {
    const done = []
    let [ready, current, timer, browser, profile] = [false]
    const finish = async () => {
      clearTimeout(timer)
      browser?.kill('SIGKILL')
      server.closeAllConnections()
      server.close()
      if (profile !== undefined) await rm(profile, { recursive: true, force: true, maxRetries: 5 }).catch(() => {})
      if (current !== undefined) done.push({ name: current, forward: { cases: 0, error: 0, findings: [{ kind: 'crashes', share: 0, outcome: { kind: 'crashes', says: 'the page does not answer any more' }, code: '' }] }, gradient: undefined })
      resolve({ ready, done })
    }
    const patience = () => {
      clearTimeout(timer)
      timer = setTimeout(finish, 120_000)
    }
    const server = createServer(async (request, response) => {
      const send = (body, type) => response.writeHead(200, { 'content-type': type }).end(body)
      if (request.url === '/') return send('<!doctype html><script type="module" src="/page.js"></script>', 'text/html')
      if (request.url === '/page.js') return send(script, 'text/javascript')
      if (request.url === '/job') return send(JSON.stringify({ backend, count, names }), 'application/json')
      if (request.url !== '/result') return response.writeHead(404).end()
      const parts = []
      for await (const part of request) parts.push(part)
      response.end()
      patience()
      const message = JSON.parse(Buffer.concat(parts).toString())
      if (message.ready) ready = true
      if (message.start) current = message.start
      if (message.surveyed) {
        done.push(message.surveyed)
        current = undefined
      }
      if (message.end || message.fault) await finish()
    })
    server.listen(0, '127.0.0.1', async () => {
      profile = await mkdtemp(join(tmpdir(), 'vitrail-conformance-'))
      browser = spawn(process.env.CHROMIUM ?? 'chromium', ['--headless', '--no-sandbox', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', ...flags[backend], `--user-data-dir=${profile}`, `http://127.0.0.1:${server.address().port}/`], { stdio: 'ignore' })
      browser.on('error', finish)
      patience()
    })
  })

/** Surveys a backend of the browser in headless Chromium; undefined where it does not start. */
export const surveyInBrowser = async (backend, count, names) => {
  const scratch = await mkdtemp(join(tmpdir(), 'vitrail-page-'))
  const script = await bundled(backend, scratch)
  if (script === undefined) return undefined
  const all = []
  let left = names
  while (left.length > 0) {
    const { ready, done } = await pass(backend, script, count, left)
    if (!ready) return undefined
    all.push(...done)
    left = left.filter(name => !all.some(one => one.name === name))
  }
  return all
}
