// Surveys tfjs on one backend, subject by subject, and writes a line of JSON for each: node child.mjs BACKEND GRADIENTS COUNT NAME…
// A process of its own, because some subjects damage the memory of all others.
import { createRequire } from 'node:module'
import { createJiti } from 'jiti'

const [backend, gradients, count, ...names] = process.argv.slice(2)
const require = createRequire(import.meta.url)
const tf = require('@tensorflow/tfjs-core')
/** Heavy packages need not be installed here: the folder it is run from will do. */
const packageOf = name => require(require.resolve(name, { paths: [import.meta.dirname, process.cwd()] }))
packageOf(backend === 'tensorflow' ? '@tensorflow/tfjs-node' : `@tensorflow/tfjs-backend-${backend}`)
await import(gradients)
const jiti = createJiti(import.meta.url)
const { survey } = await jiti.import('./survey.ts')
const { subjects } = await jiti.import('./subjects.ts')

const say = message => process.stdout.write(`${JSON.stringify(message, (_, value) => (typeof value === 'number' && !Number.isFinite(value) ? String(value) : value))}\n`)
if (!(await tf.setBackend(backend))) throw new Error(`${backend} does not start`)
await tf.ready()
say({ ready: true })
for (const name of names) {
  say({ start: name })
  const surveyed = await survey(tf, subjects.find(s => s.name === name), Number(count))
  say({ surveyed })
  // Nothing that is computed from here on could be trusted.
  if ([surveyed.forward, surveyed.gradient].some(side => side?.findings.some(({ kind }) => kind === 'corrupts'))) process.exit(0)
}
