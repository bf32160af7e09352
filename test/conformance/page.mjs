// What a page runs: tfjs on a backend that only browsers have, surveyed subject by subject; it posts what it saw.
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-core/dist/register_all_gradients.js'
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js'
import 'the-backend'
import { subjects } from './subjects.ts'
import { survey } from './survey.ts'

const post = body => fetch('/result', { method: 'POST', body: JSON.stringify(body, (_, value) => (typeof value === 'number' && !Number.isFinite(value) ? String(value) : value)) })
try {
  const { backend, count, names } = await (await fetch('/job')).json()
  if (!(await tf.setBackend(backend))) throw new Error(`${backend} does not start`)
  await tf.ready()
  await post({ ready: true })
  for (const name of names) {
    await post({ start: name })
    await post({ surveyed: await survey(tf, subjects.find(s => s.name === name), count) })
  }
  await post({ end: true })
} catch (fault) {
  await post({ fault: String(fault) })
}
