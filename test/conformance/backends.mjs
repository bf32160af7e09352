import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const child = fileURLToPath(new URL('child.mjs', import.meta.url))

/** What is known of a subject whose process ended while it ran. */
const crashed = (name, code) => {
  const finding = { kind: 'crashes', share: 0, outcome: { kind: 'crashes', says: `the process ended (${code})` }, code: '' }
  return { name, forward: { cases: 0, error: 0, findings: [finding] }, gradient: undefined }
}

/** One process over some subjects: those it finished, and whether the backend started at all. */
const pass = (backend, gradients, count, names) =>
  new Promise(resolve => {
    const done = []
    let [ready, current] = [false, undefined]
    const run = spawn(process.execPath, [child, backend, gradients, String(count), ...names], { stdio: ['ignore', 'pipe', 'ignore'] })
    const patience = () => setTimeout(() => run.kill('SIGKILL'), 180_000)
    let timer = patience()
    createInterface({ input: run.stdout }).on('line', line => {
      clearTimeout(timer)
      timer = patience()
      // tfjs itself writes to the same stream.
      if (!line.startsWith('{"')) return
      const message = JSON.parse(line)
      if (message.ready) ready = true
      if (message.start) current = message.start
      if (message.surveyed) {
        done.push(message.surveyed)
        current = undefined
      }
    })
    run.on('close', code => {
      clearTimeout(timer)
      if (current !== undefined) done.push(crashed(current, code ?? 'killed'))
      resolve({ ready, done })
    })
  })

/** Surveys a backend, beginning again with what is left whenever a subject took the process down; undefined where it does not start. */
export const surveyBackend = async (backend, gradients, count, names) => {
  const all = []
  let left = names
  while (left.length > 0) {
    const { ready, done } = await pass(backend, gradients, count, left)
    if (!ready) return undefined
    all.push(...done)
    left = left.filter(name => !all.some(one => one.name === name))
  }
  return all
}
