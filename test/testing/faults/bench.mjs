/**
 * Injects every fault of `faults.mjs` into a copy of the built library and runs `vitrail check` on it with default
 * settings, as a user would: how many are found, by which law, how small they were shrunk, and in what time.
 *
 *   npm run build && node test/testing/faults/bench.mjs [part of a name or category] [--dist DIR] [--jobs N]
 */
import { spawn } from 'node:child_process'
import { cpSync, existsSync, linkSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { faults } from './faults.mjs'

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** What a fault may use beside what its file imports: all ops, and what those of activations are called there. */
const words = text => {
  const opsFile = /from '([./]*)\/?ops\/ops\.js'/.exec(text)?.[1]
  const imported = new Set([...text.matchAll(/^import \{([^}]*)\} from/gm)].flatMap(([, list]) => list.split(',').map(word => word.trim().split(' as ').at(-1))))
  const own = new Set([...text.matchAll(/^(?:export )?const (\w+)/gm)].map(([, name]) => name))
  const ops = ['subtract', 'batchMean', 'multiply', 'scalar', 'add', 'transpose', 'divide', 'exp', 'sum', 'mean', 'reshape'].filter(name => !imported.has(name) && !own.has(name))
  const renamed = 'divide as divideOp, exp as expOp, add as addOp, scalar as scalarOp'
  return opsFile === undefined ? text : `import { ${[...ops, renamed].join(', ')} } from '${opsFile}/ops/ops.js'\n${text}`
}

/** A copy of a package with one file changed; the others are links. */
export const injected = (dist, { file, find, replace }) => {
  const folder = mkdtempSync(join(tmpdir(), 'vitrail-fault-'))
  const copy = (from, to) => {
    mkdirSync(to, { recursive: true })
    for (const entry of readdirSync(from, { withFileTypes: true })) {
      if (entry.isDirectory()) copy(join(from, entry.name), join(to, entry.name))
      else if (/\.js$|\.d\.ts$/.test(entry.name)) linkOrCopy(join(from, entry.name), join(to, entry.name))
    }
  }
  copy(dist, join(folder, 'dist'))
  mkdirSync(join(folder, 'recipes'))
  for (const name of ['package.json', 'recipes/fingerprints.json']) cpSync(join(root, name), join(folder, name))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const path = join(folder, 'dist', file)
  const text = readFileSync(path, 'utf8')
  const changed = text.replace(find, () => replace)
  if (changed === text) throw new Error(`${file} has no ${find}`)
  unlinkSync(path)
  writeFileSync(path, file.startsWith('src/') ? words(changed) : changed)
  return folder
}

const linkOrCopy = (from, to) => {
  try {
    linkSync(from, to)
  } catch {
    cpSync(from, to)
  }
}

/** Runs `vitrail check` in a copy, and tells what it found. */
export const checkInjected = async (dist, fault) => {
  const folder = injected(dist, fault)
  const began = Date.now()
  try {
    const { code, out, err } = await new Promise(resolve => {
      const child = spawn(process.execPath, [join(folder, 'dist/src/cli/main.js'), 'check', fault.target, '--reporter', 'json', '--replays', join(folder, 'replays')], { cwd: folder })
      let [out, err] = ['', '']
      child.stdout.on('data', chunk => (out += chunk))
      child.stderr.on('data', chunk => (err += chunk))
      child.on('close', code => resolve({ code, out, err }))
    })
    const seconds = (Date.now() - began) / 1000
    const failures = code === 1 && out !== '' ? JSON.parse(out)[0].failures : []
    const smallest = failures.map(f => f.smallest?.layers ?? Infinity)
    return { fault, found: failures.length > 0, seconds, laws: failures.map(f => f.law), parts: failures.map(f => f.part), layers: smallest.length === 0 ? Infinity : Math.min(...smallest), most: Math.max(0, ...smallest), err }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const main = async () => {
  const options = process.argv.slice(2)
  const value = name => (options.includes(name) ? options[options.indexOf(name) + 1] : undefined)
  const dist = value('--dist') ?? join(root, 'dist')
  const wanted = options.find((word, i) => !word.startsWith('--') && !options[i - 1]?.startsWith('--'))
  const chosen = faults.filter(({ name, category }) => wanted === undefined || name.includes(wanted) || category === wanted)
  const queue = [...chosen]
  const results = []
  const work = async () => {
    for (let fault = queue.shift(); fault !== undefined; fault = queue.shift()) {
      const result = await checkInjected(dist, fault).catch(problem => ({ fault, found: false, seconds: 0, laws: [], parts: [], layers: Infinity, most: Infinity, err: String(problem) }))
      results.push(result)
      const { found, seconds, laws, layers, err } = result
      console.log(`${found ? 'found ' : 'MISSED'} ${seconds.toFixed(1).padStart(5)} s  ${String(layers).padStart(2)} ${layers === 1 ? 'layer ' : 'layers'}  ${fault.category}: ${fault.name}  [${[...new Set(laws)].join(', ')}]${found || err === '' ? '' : ` ${err.slice(0, 300)}`}`)
    }
  }
  await Promise.all(Array.from({ length: Number(value('--jobs') ?? Math.max(1, Math.floor(availableParallelism() / 2))) }, work))
  const found = results.filter(r => r.found)
  console.log(`\n${found.length} of ${results.length} found; ${found.filter(r => r.layers <= 4).length} shrunk to at most 4 layers; the slowest took ${Math.max(...results.map(r => r.seconds)).toFixed(0)} s`)
}

if (process.argv[1] === fileURLToPath(import.meta.url) && existsSync(root)) await main()
