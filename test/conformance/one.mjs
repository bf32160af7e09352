// Runs lines of code on one backend, again and again, and says what became of it: node one.mjs BACKEND GRADIENTS CODE
// For code that takes its process down.
import { createRequire } from 'node:module'

const [backend, gradients, code] = process.argv.slice(2)
const require = createRequire(import.meta.url)
const tf = require('@tensorflow/tfjs-core')
require(require.resolve(backend === 'tensorflow' ? '@tensorflow/tfjs-node' : `@tensorflow/tfjs-backend-${backend}`, { paths: [import.meta.dirname, process.cwd()] }))
await import(gradients)
await tf.setBackend(backend)
await tf.ready()
const run = new Function('tf', `${code}\nreturn result`)
try {
  const beside = Array.from({ length: 50 }, (_, i) => tf.fill([8], i))
  for (let i = 0; i < 50; i++) await run(tf).data()
  for (const [i, t] of beside.entries()) if ((await t.data()).some(v => v !== i)) throw new Error('tensors beside it have changed')
  console.log('unharmed')
} catch (fault) {
  console.log(String(fault.message ?? fault).split('\n')[0])
}
