// Writes docs/tfjs-conformance.md: npm run conformance [-- BACKEND,…]; what it says of the library's own ops: npm run conformance -- ours
//
// tfjs's own operations and ours, on every backend that is installed here or in the folder this is run from: cpu, wasm,
// tensorflow (@tensorflow/tfjs-node), and in headless Chromium webgl and webgpu. The page has columns for those alone
// that ran. The last two take ten minutes, the others two.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { createJiti } from 'jiti'
import { surveyBackend } from './backends.mjs'
import { surveyInBrowser } from './browser.mjs'
import { bundledGradients } from './gradients.mjs'

const jiti = createJiti(import.meta.url)
const { subjects } = await jiti.import('./subjects.ts')
const { snippet } = await jiti.import('./survey.ts')
const { devices, surveyOp } = await jiti.import('./lowerings.ts')
const { opSubjects } = await jiti.import('./ops.ts')
const { report, withOps } = await jiti.import('./report.ts')

const count = 60
/** Every shape is a shader to compile. */
const countInBrowser = 24
const page = new URL('../../docs/tfjs-conformance.md', import.meta.url)
const ours = process.argv[2] === 'ours'
const wanted = ours ? [] : (process.argv[2] ?? 'cpu,wasm,tensorflow,webgl,webgpu').split(',')
const gradients = await bundledGradients()

/** What lines of code do to a process of their own. */
const aftermath = (backend, code) => {
  const { stdout, status } = spawnSync(process.execPath, [fileURLToPath(new URL('one.mjs', import.meta.url)), backend, gradients, code], { encoding: 'utf8', timeout: 30_000 })
  const says = stdout.trim().split('\n').at(-1)
  if (says === '') return `the process ends (${status})`
  return /out of bounds|unreachable|null function|have changed/.test(says) ? says : undefined
}

/** The smallest case that takes its process down, each tried in a process of its own. */
const smallestCrash = async (backend, { cases }, print) => {
  const found = await fc.check(fc.asyncProperty(cases, async one => aftermath(backend, print(one)) === undefined), { seed: 4242, numRuns: 20, interruptAfterTimeLimit: 60_000 })
  const code = found.counterexample === null ? '' : print(found.counterexample[0])
  return { kind: 'crashes', share: 0, outcome: { kind: 'crashes', says: code === '' ? 'in a process that has run others' : aftermath(backend, code) }, code }
}

/** Crashes are told without a case, since nothing was left to tell it. What crashes forward has no gradient to speak of. */
const completed = async (backend, surveyed) => {
  if (!surveyed.forward.findings.some(({ kind }) => kind === 'crashes')) return surveyed
  const finding = await smallestCrash(backend, subjects.find(({ name }) => name === surveyed.name), snippet)
  return { name: surveyed.name, forward: { cases: 0, error: 0, findings: [finding] }, gradient: undefined }
}

const tfjs = {}
for (const backend of wanted) {
  const names = subjects.map(({ name }) => name)
  const surveyed = backend.startsWith('web') ? await surveyInBrowser(backend, countInBrowser, names) : await surveyBackend(backend, gradients, count, names)
  if (surveyed === undefined) {
    console.log(`${backend}: is not installed here`)
    continue
  }
  tfjs[backend] = []
  for (const { name } of subjects) {
    const one = surveyed.find(s => s.name === name)
    tfjs[backend].push(backend.startsWith('web') ? one : await completed(backend, one))
  }
  console.log(`${backend}: ${tfjs[backend].length} operations of tfjs`)
}

const require = createRequire(import.meta.url)
// The library's native backend is found as users have it; here the package may be elsewhere, or nowhere.
try {
  require(require.resolve('@tensorflow/tfjs-node', { paths: [import.meta.dirname, process.cwd()] }))
} catch {
  console.log('native: is not installed here')
}
const lowered = []
for (const [name, device] of await devices()) {
  for (const subject of opSubjects) lowered.push(await surveyOp(device, name, subject, count))
  console.log(`${name}: ${opSubjects.length} ops`)
}

const version = require('@tensorflow/tfjs-core').version_core
writeFileSync(page, ours ? withOps(readFileSync(page, 'utf8'), lowered) : report({ version, tfjs, lowered }))
process.exit(0)
